"""``tailrace generate``: made-up traffic, on the terminal, in a pipe or in a file.

What the traffic is lies in `tailrace.generate`; here are the options, the files and the signals.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import IO, TypedDict, TypeVar, Unpack

import click

from tailrace.cli.consume import settings
from tailrace.cli.stopping import collected_signals
from tailrace.errors import OutputError
from tailrace.generate.attacks import KINDS, SYNTAX, Attack, parse_attack
from tailrace.generate.kafka import EXAMPLE, Address, KafkaSink
from tailrace.generate.options import OptionError, parse_duration_us, parse_time_us

ValueT = TypeVar("ValueT")

OPTION_OF_FIELD = {
    "attacks": "--attack",
    "random_attacks": "--attacks",
    "start_us": "--start",
    "duration_us": "--duration",
    "late_by_us": "--late-by",
}
"""Where an option has another name than the field that it becomes."""

EXAMPLES = """\b
Examples:
  tailrace generate nginx --count 5
  tailrace generate nginx --rate 1000 --duration 10m --attacks 4 \\
      --out access.ndjson --labels labels.ndjson
  tailrace generate nginx --duration 5m --start 2024-05-01T12:00:00Z \\
      --attack flood@60s+30s:client=154.85.126.7,rate=2 \\
      --attack failing-host@2m+1m:host=api_7.example.com,share=0.5,status=503
  tailrace generate nginx --format combined --rate 200 --real-time >> access.log
  tailrace generate nginx --profile seed
  tailrace generate nginx --rate 1000 --real-time --key client_ip \\
      --to kafka://localhost:9092/test-inter
"""


class TrafficOptions(TypedDict):
    """The options that say what to generate, by the fields of NginxTraffic."""

    profile: str
    seed: int
    rate: float | None
    count: int | None
    duration_us: int | None
    format: str
    clients: int
    hosts: int
    attacks: tuple[Attack, ...]
    random_attacks: int
    late: float
    late_by_us: int
    duplicates: float
    malformed: float


def _read(
    parse: Callable[[str], ValueT],
) -> Callable[[click.Context, click.Parameter, str | None], ValueT | None]:
    def callback(ctx: click.Context, param: click.Parameter, text: str | None) -> ValueT | None:
        try:
            return None if text is None else parse(text)
        except OptionError as error:
            raise click.BadParameter(error.render(), ctx, param) from None
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None

    return callback


_attack = _read(parse_attack)


def _attacks(
    ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]
) -> tuple[Attack, ...]:
    return tuple(attack for text in texts if (attack := _attack(ctx, param, text)))


@click.group("generate")
def command() -> None:
    """Write made-up traffic to try rules on."""


@command.command(epilog=EXAMPLES)
@click.option(
    "--profile",
    type=click.Choice(["realistic", "seed"]),
    default="realistic",
    show_default=True,
    help="realistic: mostly successes, few clients make most requests. seed: every "
    "value as likely as another.",
)
@click.option(
    "--format",
    type=click.Choice(["json", "combined"]),
    default="json",
    show_default=True,
    help="JSON lines, or nginx's combined log format.",
)
@click.option("--count", type=int, metavar="N", help="Lines in all.")
@click.option(
    "--duration",
    "duration_us",
    metavar="DURATION",
    callback=_read(parse_duration_us),
    help="Event time in all, such as 5m. With neither this nor --count the traffic is endless.",
)
@click.option(
    "--rate",
    type=float,
    metavar="EVENTS",
    help="Events a second of event time, attacks not counted.  [default: 100; seed: 2]",
)
@click.option(
    "--start",
    "start_us",
    metavar="TIME",
    callback=_read(parse_time_us),
    help="Event time at which it starts: ISO 8601 or epoch seconds.  [default: now]",
)
@click.option(
    "--seed",
    type=int,
    metavar="N",
    default=0,
    show_default=True,
    help="The same seed, start and options give the same bytes.",
)
@click.option(
    "--clients", type=int, metavar="N", default=256, show_default=True, help="Client addresses."
)
@click.option("--hosts", type=int, metavar="N", default=51, show_default=True, help="Hosts.")
@click.option(
    "--attack",
    "attacks",
    multiple=True,
    metavar=SYNTAX,
    callback=_attacks,
    help=f"Kinds: {', '.join(KINDS)}. Keys: client or host (default: chosen by the seed); rate: "
    "requests that it adds, as a multiple of --rate; share and status (4xx, 5xx or a code) of a "
    "failing-host; factor of a slow-host. Repeatable.",
)
@click.option(
    "--attacks",
    "random_attacks",
    type=int,
    metavar="N",
    default=0,
    help="Attacks of all kinds at places chosen by the seed.",
)
@click.option(
    "--late",
    type=float,
    metavar="SHARE",
    default=0.0,
    help="Share of lines whose event time is older than their neighbours'.",
)
@click.option(
    "--late-by",
    "late_by_us",
    metavar="DURATION",
    default="10s",
    show_default=True,
    callback=_read(parse_duration_us),
    help="How much older at most.",
)
@click.option(
    "--duplicates",
    type=float,
    metavar="SHARE",
    default=0.0,
    help="Share of lines that repeat the one before.",
)
@click.option(
    "--malformed",
    type=float,
    metavar="SHARE",
    default=0.0,
    help="Share of lines that are cut short, no log line at all, or hold a wrong value.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, allow_dash=True),
    metavar="FILE",
    default="-",
    help="Where to write.  [default: stdout]",
)
@click.option("--append", is_flag=True, help="Add to the file instead of replacing it.")
@click.option(
    "--to",
    metavar="ADDRESS",
    callback=_read(Address.parse),
    help=f"A Kafka topic instead of a file, such as {EXAMPLE}.",
)
@click.option("--key", metavar="FIELD", help="With --to: the field that is the message's key.")
@click.option(
    "--partition",
    type=click.IntRange(min=0),
    metavar="N",
    help="With --to: the partition of all messages.  [default: as the key says]",
)
@click.option(
    "--option",
    "options_of_kafka",
    multiple=True,
    metavar="NAME=VALUE",
    help="With --to: an option of librdkafka. Repeatable.",
)
@click.option(
    "--labels",
    type=click.File("w", lazy=False),
    metavar="FILE",
    help="Write each attack as a JSON line when done, then one with the numbers of lines.",
)
@click.option(
    "--real-time/--no-real-time",
    default=None,
    help="Write each line when its time has come, or all as fast as possible.  "
    "[default: --real-time if endless]",
)
@click.pass_context
def nginx(  # noqa: PLR0913 - options as they are given
    ctx: click.Context,
    *,
    out: str,
    append: bool,
    to: Address | None,
    key: str | None,
    partition: int | None,
    options_of_kafka: tuple[str, ...],
    labels: IO[str] | None,
    real_time: bool | None,
    start_us: int | None,
    **options: Unpack[TrafficOptions],
) -> None:
    """Write an nginx access log with known attacks in it."""
    from tailrace.generate.delivery import Tally, deliver, label_lines
    from tailrace.generate.nginx import NginxTraffic
    from tailrace.generate.pace import MonotonicClock, paced

    clock = MonotonicClock()
    try:
        # Now is after the imports: in real time, event times are then those of the clock.
        start_us = time.time_ns() // 1000 if start_us is None else start_us
        lead_us = start_us - clock.now_us()
        traffic = NginxTraffic(start_us=start_us, **options)
    except OptionError as error:
        option = OPTION_OF_FIELD.get(error.option, f"--{error.option}")
        raise click.BadParameter(error.render(), ctx, param_hint=option) from None
    tally = Tally()
    with collected_signals() as signals:
        blocks = traffic.blocks()
        if traffic.endless if real_time is None else real_time:
            blocks = paced(blocks, lead_us, clock, lambda: bool(signals))
        try:
            with _open_sink(to, out, key, partition, options_of_kafka, append=append) as sink:
                deliver(blocks, sink, tally, lambda: bool(signals))
        except BrokenPipeError:
            pass  # the reader has enough
        except OSError as error:
            raise OutputError(f"can't write to {out}: {error.strerror}") from error
        finally:
            if labels is not None:
                labels.writelines(label_lines(traffic.labels(), traffic.seed, tally))
    if signals and not traffic.endless:
        ctx.exit(128 + signals[0])


def _open_sink(
    to: Address | None,
    out: str,
    key: str | None,
    partition: int | None,
    options: tuple[str, ...],
    *,
    append: bool,
) -> AbstractContextManager[IO[bytes] | KafkaSink]:
    if to is None:
        if key is not None or partition is not None or options:
            raise click.UsageError("--key, --partition and --option are for --to")
        return _open_out(out, append=append)
    if out != "-" or append:
        raise click.UsageError("--to writes to a topic, --out to a file; give one of them")
    return KafkaSink(to, key=key, partition=partition, options=settings(options))


def _open_out(out: str, *, append: bool) -> AbstractContextManager[IO[bytes]]:
    if out == "-":
        if append:
            raise click.UsageError("--append needs --out FILE")
        return nullcontext(sys.stdout.buffer)
    try:
        return Path(out).open("ab" if append else "wb")
    except OSError as error:
        raise click.BadParameter(f"{out}: {error.strerror}", param_hint="--out") from None
