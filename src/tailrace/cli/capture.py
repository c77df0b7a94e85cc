"""``tailrace capture``: packets from interfaces to the terminal, a file or a topic."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from tailrace.cli.generating import options as shared
from tailrace.cli.generating.options import SinkOptions
from tailrace.cli.printable import one_line
from tailrace.cli.stopping import collected_signals
from tailrace.errors import OutputError
from tailrace.generate.options import parse_duration_us

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from tailrace.cli.capturing.forms import Form
    from tailrace.config import CaptureSource
    from tailrace.generate.delivery import Sink

POLL_BYTES = 8 << 20
WAIT_SECONDS = 0.2
LOOK_SECONDS = 1.0
MANY = 1 << 62

_EPILOG = """\
\b
Examples:
  tailrace capture -i eth0
  tailrace capture --either 192.0.2.7 --duration 5m --out traffic.pcapng
  tailrace capture -i lo --count 100 --form json
  tailrace capture --to kafka://localhost:9092/new_topic

Needs Linux and the right to capture: sudo, or the capability CAP_NET_RAW (setcap
cap_net_raw=ep on the Python that runs it; AmbientCapabilities=CAP_NET_RAW in a systemd unit).
"""


@click.command("capture", epilog=_EPILOG)
@click.option(
    "-i",
    "--interface",
    "interfaces",
    multiple=True,
    metavar="NAME",
    help="An interface; repeatable.  [default: all]",
)
@click.option("--source", metavar="ADDRESS", help="Only packets from this address.")
@click.option("--destination", metavar="ADDRESS", help="Only packets to this address.")
@click.option("--either", metavar="ADDRESS", help="Only packets from or to this address.")
@click.option(
    "--form",
    type=click.Choice(["text", "json", "pcap", "topic"]),
    help="Text; JSON lines; a capture file (pcapng); or key (both addresses), bytes and time, which"
    " are messages with --to.  [default: text; with --to topic; with --out by its name]",
)
@click.option(
    "--count", type=click.IntRange(min=1), metavar="N", help="Packets in all, or some more."
)
@click.option(
    "--duration",
    "duration_us",
    metavar="DURATION",
    callback=shared.read(parse_duration_us),
    help="Capture for so long.",
)
@shared.sink("kafka://localhost:9092/new_topic")
def command(
    *,
    interfaces: tuple[str, ...],
    form: str | None,
    count: int | None,
    duration_us: int | None,
    sink: SinkOptions,
    **addresses: str | None,
) -> None:
    """Capture packets until as many have come, the time is over, or Ctrl-C.

    On the loopback interface, where each packet passes twice, it is taken once. What the kernel had
    to drop is told at the end.
    """
    from tailrace.cli.capturing.forms import FORMS
    from tailrace.cli.generating.writing import open_sink
    from tailrace.generate.kafka import KafkaSink, KeyedSink

    config = _config(interfaces, addresses)
    form = form or _form(sink)
    if form == "pcap" and (sink["to"] is not None or sink["append"]):
        raise click.UsageError("a capture file is one file: neither --to nor --append goes with it")
    to = open_sink(sink, KeyedSink if form == "topic" else KafkaSink)
    until = None if duration_us is None else time.monotonic() + duration_us / 1_000_000
    with collected_signals() as signals:

        def left(taken: int) -> int:
            if signals or (until is not None and time.monotonic() >= until):
                return 0
            return MANY if count is None else count - taken

        try:
            with to.sink as taking:
                captured, dropped = _capture(config, FORMS[form](), taking, left)
        except BrokenPipeError:
            return  # the reader has enough
        except OSError as error:
            raise OutputError(f"can't write to {to.name}: {error.strerror}") from error
    click.echo(f"{captured:,} packets captured, {dropped:,} dropped by the kernel", err=True)


def _config(interfaces: tuple[str, ...], addresses: Mapping[str, str | None]) -> CaptureSource:
    from tailrace.config import CaptureSource

    return CaptureSource(
        interfaces=interfaces or ("all",),
        source=addresses["source"],
        destination=addresses["destination"],
        either=addresses["either"],
    )


def _form(sink: SinkOptions) -> str:
    if sink["to"] is not None:
        return "topic"
    if sink["out"].endswith((".pcap", ".pcapng")):
        return "pcap"
    return "text" if sink["out"] == "-" else "json"


def _capture(
    config: CaptureSource, form: Form, sink: Sink, left: Callable[[int], int]
) -> tuple[int, int]:
    """Write what comes; return how many packets were taken and how many the kernel dropped.

    Interfaces that are down are told of.

    ``left`` tells, of the number taken, how many more are wanted now.
    """
    from tailrace.sources.live.interfaces import Names
    from tailrace.sources.live.source import first, records_of, ring_of, watch_of

    ring, name, watch = ring_of(config), Names(), watch_of(config)
    captured, looked_at = 0, float("-inf")
    try:
        _write(sink, form.begin())
        while left(captured) > 0:
            if (now := time.monotonic()) - looked_at >= LOOK_SECONDS:
                looked_at = now
                for note in watch.look():
                    click.echo(one_line(note.text), err=True)
            ring.wait(WAIT_SECONDS)
            for block in ring.blocks(POLL_BYTES):
                records = first(records_of(block, name, captured), left(captured))
                captured += len(records)
                _write(sink, form.write(records))
            sink.flush()
        return captured, ring.counted()[1]
    finally:
        ring.close()


def _write(sink: Sink, data: bytes) -> None:
    rest = memoryview(data)
    while rest:
        rest = rest[sink.write(rest) :]
