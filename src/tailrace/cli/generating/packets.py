"""``tailrace generate packets``: traffic with windows above and below limits, and the truth."""

from __future__ import annotations

from typing import IO, Literal, TypedDict, Unpack

import click

from tailrace.cli.generating import options as shared
from tailrace.cli.generating.options import SinkOptions
from tailrace.generate.options import OptionError, parse_duration_us

EXAMPLES = """\b
Examples:
  tailrace generate packets --duration 2h --over 2 --below 1 --truth truth.ndjson --out day.pcap
  tailrace generate packets --form topic --real-time --to kafka://localhost:9092/new_topic
"""


class Options(TypedDict):
    """The options that say what to generate, by the fields of PacketTraffic, but for the start."""

    seed: int
    rate: float
    duration_us: int
    hosts: int
    ipv6: float
    window_us: int
    minimum: int
    maximum: int
    over: int
    below: int
    late: float
    late_by_us: int
    duplicates: float


@click.command(epilog=EXAMPLES)
@click.option(
    "--form",
    type=click.Choice(["pcap", "json", "topic"]),
    help="A capture file; JSON lines; or lines of key (both addresses), bytes and time (ms), which"
    " are messages with --to.  [default: pcap; topic with --to]",
)
@click.option(
    "--duration",
    "duration_us",
    metavar="DURATION",
    default="1h",
    show_default=True,
    callback=shared.read(parse_duration_us),
    help="Event time in all.",
)
@click.option(
    "--rate",
    type=float,
    metavar="PACKETS",
    default=100.0,
    show_default=True,
    help="Packets a second of event time.",
)
@shared.start()
@shared.seed()
@click.option("--hosts", type=int, metavar="N", default=50, show_default=True, help="Hosts.")
@click.option("--ipv6", type=float, metavar="SHARE", default=0.0, help="Share of IPv6 packets.")
@click.option(
    "--window",
    "window_us",
    metavar="DURATION",
    default="5m",
    show_default=True,
    callback=shared.read(parse_duration_us),
    help="How long the windows are that the limits are about.",
)
@click.option(
    "--min",
    "minimum",
    type=int,
    metavar="BYTES",
    default=1024,
    show_default=True,
    help="The least that a window may have.",
)
@click.option(
    "--max",
    "maximum",
    type=int,
    metavar="BYTES",
    default=1 << 30,
    show_default=True,
    help="The most that a window may have.",
)
@click.option("--over", type=int, metavar="N", default=0, help="So many windows are above.")
@click.option(
    "--below",
    type=int,
    metavar="N",
    default=0,
    help="So many windows are below, about half of them empty.",
)
@shared.lateness("packets")
@shared.sink("kafka://localhost:9092/new_topic")
@shared.truth("a JSON line for each window: packets, bytes, and within, over or below")
@shared.real_time()
@click.pass_context
def packets(
    ctx: click.Context,
    *,
    form: Literal["pcap", "json", "topic"] | None,
    sink: SinkOptions,
    truth: IO[bytes] | None,
    real_time: bool | None,
    start_us: int | None,
    **options: Unpack[Options],
) -> None:
    """Write packets between hosts and the world, some windows above and below limits of volume.

    Frames in a capture file end after their headers: large volumes make small files.
    """
    from tailrace.cli.generating.writing import Start, open_sink, write
    from tailrace.generate.kafka import KafkaSink, KeyedSink
    from tailrace.generate.packets import PacketTraffic

    form = form or ("pcap" if sink["to"] is None else "topic")
    if form == "pcap" and (sink["to"] is not None or sink["append"] or real_time):
        raise click.UsageError("a capture file is one file, written at once")
    if form == "topic" and sink["key"] is not None:
        raise click.UsageError("the form topic has keys; --key is for the form json")
    start = Start(start_us, real_time=real_time)
    try:
        traffic = PacketTraffic(form=form, start_us=start.us, **options)
    except OptionError as error:
        raise shared.wrong(ctx, error) from None
    if truth is not None:
        truth.writelines(line.encode() for line in traffic.truth())
        truth.flush()
    write(ctx, traffic, open_sink(sink, KeyedSink if form == "topic" else KafkaSink), start)
