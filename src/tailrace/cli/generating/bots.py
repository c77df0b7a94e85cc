"""``tailrace generate bots``: clicks and views of people and bots, with botgen's options."""

from __future__ import annotations

from typing import IO, TypedDict, Unpack

import click

from tailrace.cli.generating import options as shared
from tailrace.cli.generating.options import SinkOptions
from tailrace.cli.generating.writing import Destination, Start, open_out, open_sink, write
from tailrace.generate.options import OptionError, parse_duration_us

EXAMPLES = """\b
Examples:
  tailrace generate bots -b 100 -u 1000 -n 100 -d 60 -f logs/logs-1_minute_4.json
  tailrace generate bots -b 5 -d 10m --late 0.05 --truth truth.ndjson --out clicks.ndjson
  tailrace generate bots --real-time --key ip --to kafka://localhost:9092/bot-logs
"""


class Options(TypedDict):
    """The options that say what to generate, by the fields of BotTraffic, but for the start."""

    bots: int
    users: int
    duration_us: int | None
    freq: int
    seed: int
    late: float
    late_by_us: int
    duplicates: float
    malformed: float


@click.command(epilog=EXAMPLES)
@click.option("-b", "--bots", type=int, metavar="N", default=1, show_default=True, help="Bots.")
@click.option(
    "-u", "--users", type=int, metavar="N", default=1000, show_default=True, help="Users."
)
@click.option(
    "-d",
    "--duration",
    "duration_us",
    metavar="DURATION",
    default="300",
    show_default=True,
    callback=shared.read(parse_duration_us),
    help="Event time in all: seconds, or such as 5m.",
)
@click.option("--endless", is_flag=True, help="Go on until a signal comes.")
@click.option(
    "-n",
    "--freq",
    type=int,
    metavar="N",
    default=100,
    show_default=True,
    help="Users that act each second.",
)
@click.option(
    "-f",
    "--file",
    "array_file",
    type=click.Path(dir_okay=False),
    metavar="FILE",
    help="Write one JSON array to this file, an object a line, as botgen.py does.",
)
@shared.start()
@shared.seed()
@shared.faults()
@shared.sink("kafka://localhost:9092/bot-logs")
@shared.truth("each address and whether it is a bot's as a JSON line, then the numbers of lines")
@shared.real_time()
@click.pass_context
def bots(
    ctx: click.Context,
    *,
    endless: bool,
    array_file: str | None,
    sink: SinkOptions,
    truth: IO[bytes] | None,
    real_time: bool | None,
    start_us: int | None,
    **options: Unpack[Options],
) -> None:
    """Write clicks and views of users (172.10.x.y) and of bots (172.20.x.y).

    Each second FREQ different users act once: categories 1000 to 1009, one click to three views. In
    each even second of the epoch each bot acts once: categories 1000 to 1019, three clicks to one
    view. Times run from the start into the future unless it is in --real-time.
    """
    from tailrace.generate.bots import BotTraffic
    from tailrace.generate.delivery import Tally, summary_line

    if endless:
        options["duration_us"] = None
    start = Start(start_us, real_time=real_time)
    try:
        traffic = BotTraffic(start_us=start.us, **options)
    except OptionError as error:
        raise shared.wrong(ctx, error) from None
    if array_file is not None and (sink["out"] != "-" or sink["to"] is not None):
        raise click.UsageError("-f names the file; --out and --to name another place")

    def tell(tally: Tally) -> None:
        if truth is not None:
            truth.writelines(line.encode() for line in traffic.truth())
            truth.write(summary_line(traffic.seed, tally).encode())

    to = _array(array_file) if array_file is not None else open_sink(sink)
    write(ctx, traffic, to, start, finish=tell)


def _array(path: str) -> Destination:
    from tailrace.generate.arrays import ArraySink

    return Destination(ArraySink(open_out(path)), path)
