"""What is allowed in a pipeline file, but may not be what its author wants."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from tailrace.config import Alert, CaptureSource, Classify, KafkaSource, PcapSource, StdinSource
from tailrace.errors import Problem

if TYPE_CHECKING:
    from tailrace.config import Loaded, PipelineConfig


def advice(loaded: Loaded) -> tuple[Problem, ...]:
    """Warnings about a pipeline in which nothing is wrong, in the order of their places."""
    found = [*_source(loaded), *_time(loaded), *_rules(loaded), *_outputs(loaded)]
    return tuple(sorted(found, key=_place))


def _source(loaded: Loaded) -> Iterator[Problem]:
    if isinstance(loaded.config.source, CaptureSource):
        yield Problem(
            "packets can't be captured again: what a crash interrupts is lost (at most once)",
            loaded.positions.where(("source",)),
            "capture to files and read them with the source pcap, if every packet counts",
        )
    if isinstance(loaded.config.source, StdinSource):
        yield Problem(
            "stdin can't be read again: what a crash interrupts is lost (at most once)",
            loaded.positions.where(("source",)),
            "write to a file and follow it, if every record counts",
        )


def _time(loaded: Loaded) -> Iterator[Problem]:
    time = loaded.config.time
    where = loaded.positions.where_key(("time",))
    knows = isinstance(loaded.config.source, KafkaSource | PcapSource | CaptureSource)
    if time.arrival is None and not knows:
        yield Problem(
            "future times aren't checked: one wrong clock can close windows before their time",
            where,
            "name the field that says when a record arrived: time.arrival",
        )
    if time.grace == 0:
        yield Problem(
            "grace is 0: an event that comes out of order is late as soon as its window closes",
            loaded.positions.where(("time", "grace")),
            "let it be as long as events of one partition are apart, for example 5s",
        )


def _rules(loaded: Loaded) -> Iterator[Problem]:
    accusing = {rule for verdicts in loaded.config.verdicts.values() for rule in verdicts.from_}
    for index, rule in enumerate(loaded.config.rules):
        if rule.to or isinstance(rule, Classify) or rule.name in accusing:
            continue
        where = loaded.positions.where(("rules", index))
        if isinstance(rule, Alert):
            kept = rule.window or rule.in_order
            told = "on the terminal and in table incidents" if kept else "on the terminal"
            yield Problem(f"{rule.name} has no 'to': its alerts are only {told}", where)
        else:
            yield Problem(
                f"{rule.name} has no 'to': its rows go nowhere",
                where,
                "name an output, for example a table of the store",
            )


def _outputs(loaded: Loaded) -> Iterator[Problem]:
    config = loaded.config
    used = {name for rule in config.rules for name in rule.to}
    used |= {n for rule in config.rules if isinstance(rule, Classify) for n in rule.outputs}
    used |= set(config.archive.to if config.archive is not None else ())
    used |= set(config.dead_letters.to)
    used |= {name for verdicts in config.verdicts.values() for name in verdicts.to}
    for name, output in config.outputs.items():
        texts = " ".join(output.target.templates.values())
        if output.rows == "incidents" and output.notices and _measures(config, name, texts):
            yield Problem(
                f"the output '{name}' gets early notices, whose measures are null yet",
                loaded.positions.where_key(("outputs", name)),
                "notices: false keeps them away",
            )
        if name not in used:
            where = loaded.positions.where_key(("outputs", name))
            yield Problem(f"no rule sends to the output '{name}'", where)


def _measures(config: PipelineConfig, output: str, texts: str) -> bool:
    """Whether templates of an output show measures of an alert that is sent there."""
    for rule in config.rules:
        if isinstance(rule, Alert) and rule.window is not None and output in rule.to:
            known = {*rule.select, "count"}
            if any(f"{{{name}}}" in texts for name in known):
                return True
    return False


def _place(problem: Problem) -> tuple[int, int]:
    where = problem.where
    return (where.line or 0, where.column or 0) if where else (0, 0)
