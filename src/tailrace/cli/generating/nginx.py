"""``tailrace generate nginx``: an access log with known attacks in it."""

from __future__ import annotations

from typing import IO, TypedDict, Unpack

import click

from tailrace.cli.generating import options as shared
from tailrace.cli.generating.options import SinkOptions
from tailrace.generate.attacks import KINDS, SYNTAX, Attack, parse_attack
from tailrace.generate.options import OptionError

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


class Options(TypedDict):
    """The options that say what to generate, by the fields of NginxTraffic, but for the start."""

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


_attack = shared.read(parse_attack)


def _attacks(
    ctx: click.Context, param: click.Parameter, texts: tuple[str, ...]
) -> tuple[Attack, ...]:
    return tuple(attack for text in texts if (attack := _attack(ctx, param, text)))


@click.command(epilog=EXAMPLES)
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
@shared.length()
@click.option(
    "--rate",
    type=float,
    metavar="EVENTS",
    help="Events a second of event time, attacks not counted.  [default: 100; seed: 2]",
)
@shared.start()
@shared.seed()
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
@shared.faults()
@shared.sink()
@click.option(
    "--labels",
    type=click.File("w", lazy=False),
    metavar="FILE",
    help="Write each attack as a JSON line when done, then one with the numbers of lines.",
)
@shared.real_time()
@click.pass_context
def nginx(
    ctx: click.Context,
    *,
    sink: SinkOptions,
    labels: IO[str] | None,
    real_time: bool | None,
    start_us: int | None,
    **options: Unpack[Options],
) -> None:
    """Write an nginx access log with known attacks in it."""
    from tailrace.cli.generating.writing import Start, open_sink, write
    from tailrace.generate.delivery import Tally, label_lines
    from tailrace.generate.nginx import NginxTraffic

    start = Start(start_us, real_time=real_time)
    try:
        traffic = NginxTraffic(start_us=start.us, **options)
    except OptionError as error:
        raise shared.wrong(ctx, error) from None

    def label(tally: Tally) -> None:
        if labels is not None:
            labels.writelines(label_lines(traffic.labels(), traffic.seed, tally))

    write(ctx, traffic, open_sink(sink), start, finish=label)
