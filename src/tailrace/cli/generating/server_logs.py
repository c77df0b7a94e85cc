"""``tailrace generate server-logs``: events that are good, bad or suspicious, and the truth."""

from __future__ import annotations

from typing import IO, TypedDict, Unpack

import click

from tailrace.cli.generating import options as shared
from tailrace.cli.generating.options import SinkOptions
from tailrace.generate.options import OptionError

EXAMPLES = """\b
Examples:
  tailrace generate server-logs --count 1000 --out logs.ndjson \\
      --truth truth.ndjson --users users.csv
  tailrace generate server-logs --rate 0.1 --to kafka://localhost:9092/server-logs
"""


class Options(TypedDict):
    """The options that say what to generate, by the fields of ServerLogs, but for the start."""

    seed: int
    rate: float
    count: int | None
    duration_us: int | None
    errors: float
    known: int
    late: float
    late_by_us: int
    duplicates: float
    malformed: float


@click.command("server-logs", epilog=EXAMPLES)
@shared.length()
@click.option(
    "--rate",
    type=float,
    metavar="EVENTS",
    default=100.0,
    show_default=True,
    help="Events a second of event time.",
)
@shared.start()
@shared.seed()
@click.option(
    "--errors",
    type=float,
    metavar="FACTOR",
    default=1.0,
    show_default=True,
    help="How often values are wrong: with 1 about 5.5 % of all events have one.",
)
@click.option(
    "--known",
    type=int,
    metavar="N",
    default=10,
    show_default=True,
    help="The users table has the accounts 1 to N, each with the device ANDROID; events of others"
    " are suspicious.",
)
@shared.faults()
@shared.sink("kafka://localhost:9092/server-logs")
@shared.truth("a JSON line for each line: its number, status and the fields that are wrong")
@click.option(
    "--users",
    type=click.File("w", lazy=False),
    metavar="FILE",
    help="Write the users table as CSV.",
)
@shared.real_time()
@click.pass_context
def server_logs(
    ctx: click.Context,
    *,
    sink: SinkOptions,
    truth: IO[bytes] | None,
    users: IO[str] | None,
    real_time: bool | None,
    start_us: int | None,
    **options: Unpack[Options],
) -> None:
    """Write events of accounts, some with wrong values, and what each of them is."""
    from tailrace.cli.generating.writing import Start, open_sink, write
    from tailrace.generate.server_logs import ServerLogs

    start = Start(start_us, real_time=real_time)
    try:
        traffic = ServerLogs(start_us=start.us, **options)
    except OptionError as error:
        raise shared.wrong(ctx, error) from None
    if users is not None:
        users.writelines(traffic.users())
        users.flush()
    write(ctx, traffic, open_sink(sink), start, truth=truth)
