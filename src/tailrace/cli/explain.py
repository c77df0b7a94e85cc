"""``tailrace explain``: how a pipeline is computed, and why a rule fired or didn't."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tailrace.cli.finding import find_pipeline
from tailrace.cli.naming import PipelineFirst
from tailrace.cli.preparing import named
from tailrace.cli.printable import printable
from tailrace.errors import TailraceError

if TYPE_CHECKING:
    from tailrace.config import Loaded
    from tailrace.engines.explain import Explanation
    from tailrace.plan.model import Plan

_EPILOG = """\
\b
Examples:
  tailrace explain pipeline.yaml
  tailrace explain pipeline.yaml client_flood 192.0.2.7 2024-05-01T12:00:20Z
  tailrace explain pipeline.yaml per_path host=a.example,path=/login 1714564820
  tailrace explain pipeline.yaml all_requests - 2024-05-01T12:00:20Z --json
"""


@click.command("explain", cls=PipelineFirst, epilog=_EPILOG)
@click.argument("pipeline", required=False, type=click.Path(path_type=Path))
@click.argument("rule", required=False)
@click.argument("key", required=False)
@click.argument("time", required=False)
@click.option("--window", metavar="START", help="Show this window, of several that have TIME.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
@click.option("--set", "sets", multiple=True, metavar="KEY=VALUE", help="Override a value.")
@click.option(
    "--store", type=click.Path(path_type=Path), help="The store, if not that of the pipeline."
)
def command(  # noqa: PLR0913 - one for each option
    pipeline: Path | None,
    rule: str | None,
    key: str | None,
    time: str | None,
    *,
    window: str | None,
    as_json: bool,
    sets: tuple[str, ...],
    store: Path | None,
) -> None:
    """Show how PIPELINE is computed; or why RULE fired, or didn't, for KEY at TIME.

    KEY: the value of the key field; name=value,name=value for several (or JSON); - without a key.
    TIME: any instant of the window, ISO 8601 or seconds since 1970. What lay in the window comes
    from the store as long as it is kept there (explain.retain), else the source is read again.
    """
    from tailrace.plan.compile import check_file

    pipeline = find_pipeline(pipeline)
    loaded, plan = check_file(pipeline, sets=sets)
    if rule is None:
        from tailrace.cli.explain_text import plan_lines
        from tailrace.engines.explain import tell_plan

        told = tell_plan(plan)
        text = json.dumps(asdict(told), indent=2) if as_json else "\n".join(plan_lines(told))
    else:
        with named(pipeline, loaded, plan):
            question = _question(plan, rule, key, time)
            found = _explained(loaded, plan, question, window, store)
        if as_json:
            text = json.dumps(found.to_json(), indent=2)
        else:
            from tailrace.cli.explain_text import window_lines

            text = "\n".join(window_lines(found))
    click.echo(printable(loaded.redact(text)))


def _question(
    plan: Plan, name: str, key: str | None, time: str | None
) -> tuple[str, str | None, str]:
    """Rule, key and time; the only value after a rule without a key is its time."""
    from tailrace.engines.explain.questions import window_rule

    rule = window_rule(plan, name)
    if time is not None:
        return name, key, time
    if key is not None and key != "-" and not rule.keys:
        return name, None, key
    fields = ",".join(each.name for each in rule.keys) or "-"
    missing = "KEY and TIME are" if key is None and rule.keys else "TIME is"
    raise TailraceError(
        f"to explain a window of {name}, {missing} missing",
        hint=f"tailrace explain PIPELINE {name} KEY TIME; the key is {fields}, the time any instant"
        " of the window, for example 2024-05-01T12:00:20Z",
    )


def _explained(
    loaded: Loaded,
    plan: Plan,
    question: tuple[str, str | None, str],
    window: str | None,
    store: Path | None,
) -> Explanation:
    from tailrace.cli.asking import asked
    from tailrace.engines.explain import explain_window

    path = loaded.store_path if store is None else store
    if not path.exists():
        return explain_window(plan, *question, window=window)
    with asked(path) as who:
        return explain_window(
            plan, *question, window=window, ask=lambda sql: who.query(sql, 1_000_000)[0]
        )
