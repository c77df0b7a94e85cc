"""Plans and explanations as lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.cli.columns import aligned
from tailrace.cli.printable import one_line
from tailrace.engines.explain.answers import OUTCOMES
from tailrace.plan.instants import iso
from tailrace.plan.templates import as_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tailrace.engines.explain import Explanation, PlanTold, WindowSeen
    from tailrace.engines.explain.plans import GroupTold, RuleTold
    from tailrace.plan.identity import Scalar

MOST_PANES = 60
"""More panes than this are not listed one by one."""
_TRUTH = {True: "true", False: "false", None: "null"}


def plan_lines(told: PlanTold) -> list[str]:
    """The plan, group by group."""
    lines = [f"pipeline {told.name}", ""]
    rows = [
        ("source", told.source),
        ("time", told.time),
        ("fields", ", ".join(f"{name} ({kind})" for name, kind in told.fields.items())),
        *(("derived", f"{name} = {text}") for name, text in told.derived.items()),
    ]
    if told.dedup:
        rows.append(("dedup", told.dedup))
    if told.archive:
        rows.append(("archive", f"every event -> {', '.join(told.archive)}"))
    lines += aligned(rows)
    for number, group in enumerate(told.groups, 1):
        lines += ["", *_group(number, group)]
    for rule in told.event_rules:
        lines += ["", f"rule {rule.name}: each event by itself"]
        if rule.where:
            lines.append(f"  where {rule.where}")
        lines += [f"  when {rule.condition}", f"  identity {rule.identity}"]
    for each in told.classifications:
        lines += ["", f"rule {each.name}: a label for each event"]
        for label, conditions in each.labels.items():
            lines += [f"  {label} if {code}: {text}" for code, text in conditions.items()]
        lines += [f"  else {each.otherwise}", f"  identity {each.identity}"]
    lines += ["", "bounds", *aligned(list(told.bounds.items()))]
    return lines


def _group(number: int, group: GroupTold) -> Iterator[str]:
    shared = f" (shared by {len(group.rules)} rules)" if len(group.rules) > 1 else ""
    yield f"group {number}: partials by key and pane{shared}"
    yield from aligned(
        [
            ("key", ", ".join(group.key) or "none: all events together"),
            ("where", group.where or "every event"),
            ("pane", group.pane),
            ("kept", f"{group.kept} of event time"),
            ("identity", group.identity),
        ]
    )
    yield "  partials"
    yield from aligned(
        [(p.kept, f"for {', '.join(p.rules)}") for p in group.partials], indent="    "
    )
    for rule in group.rules:
        yield f"  rule {rule.name} ({rule.kind})"
        yield from aligned(_rule(rule), indent="    ")


def _rule(rule: RuleTold) -> Iterator[tuple[str, str]]:
    panes = "1 pane" if rule.panes == 1 else f"{rule.panes} panes"
    each = "1 window" if rule.windows_per_event == 1 else f"{rule.windows_per_event} windows"
    if rule.panes:
        yield "window", f"{rule.window}: {panes}, each event in {each}"
    else:
        yield "events", f"in order; {rule.window}"
    yield from rule.options.items()
    if rule.condition is not None:
        yield "when", one_line(rule.condition)
    if rule.early is not None:
        yield "early", "yes: more events can only make it true" if rule.early else f"no: {rule.why}"
    for name, text in rule.selected.items():
        yield "select", f"{one_line(name)} = {text}"
    for name, length in rule.timers.items():
        yield name, length
    yield "to", ", ".join(rule.to) or "nowhere"
    yield "identity", rule.identity


def window_lines(found: Explanation) -> list[str]:
    """What was in the windows and why, the chosen one in detail."""
    key = ", ".join(f"{name} = {_value(value)}" for name, value in found.key.items())
    lines = [
        f"rule {found.rule}, {key or 'no key'}, at {iso(found.time)}",
        f"known from {found.basis}",
    ]
    if len(found.windows) > 1:
        lines += ["", "windows", *_windows(found)]
    lines += ["", *_window(found.chosen, found.condition)]
    if found.notes:
        lines += ["", "notes", *(f"  {one_line(note)}" for note in found.notes)]
    return lines


def _windows(found: Explanation) -> list[str]:
    rows = [
        (
            ">" if window is found.chosen else "",
            iso(window.start),
            iso(window.end),
            f"{window.events} events",
            window.outcome + ("" if window.closed else ", still open"),
        )
        for window in found.windows
    ]
    return aligned(rows, {3})


def _window(window: WindowSeen, condition: str | None) -> Iterator[str]:
    still = "" if window.closed else "; it is still open, more events may come"
    yield f"window {iso(window.start)} to {iso(window.end)}: {window.outcome}{still}"
    yield f"  {OUTCOMES[window.outcome]}"
    if window.flags:
        yield f"  flags: {', '.join(window.flags)}"
    if not window.events:
        return
    if condition is not None:
        yield ""
        yield f"condition: {_TRUTH[window.truth]}"
        yield f"  {one_line(condition)}"
        for part in window.parts:
            why = " (an operation failed)" if part.failed else ""
            yield f"  {_TRUTH[part.truth]:<5}  {part.text}{why}"
            for text, value in part.terms:
                yield f"           {text} = {_value(value)}"
    yield ""
    yield f"measures over {window.events} events"
    yield from aligned([(name, _value(value)) for name, value in window.measures.items()])
    yield ""
    yield f"panes with events: {len(window.panes)}"
    rows = [
        (iso(pane.start), f"{pane.events} events", _measures(pane.measures))
        for pane in window.panes[:MOST_PANES]
    ]
    yield from aligned(rows, {1})
    if len(window.panes) > MOST_PANES:
        yield f"  ... and {len(window.panes) - MOST_PANES} more"


def _measures(measures: Mapping[str, Scalar]) -> str:
    return ", ".join(f"{name} = {_value(value)}" for name, value in measures.items())


def _value(value: Scalar) -> str:
    return one_line(repr(value) if isinstance(value, str) else as_text(value))
