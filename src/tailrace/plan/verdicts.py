"""Lists of verdicts as engines run them, and what must fit between them and the rules."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tailrace.config.allow import Allowed
from tailrace.config.classify import Classify
from tailrace.config.rules import Alert
from tailrace.config.salvage import is_stand_in
from tailrace.config.suggestions import suggestion
from tailrace.plan.allowing import values_listed
from tailrace.plan.identity import digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tailrace.config import PipelineConfig
    from tailrace.config.rules import AnyRule
    from tailrace.config.verdicts import VerdictSettings
    from tailrace.expr.nodes import Node, Type
    from tailrace.plan.model import Rule
    from tailrace.plan.problems import Problems


@dataclass(frozen=True, slots=True)
class VerdictList:
    """A list of offenders; durations in microseconds.

    ``rules``: the accusing rules' names by identity, ``places``: where in a rule's key the list's
    key fields are. ``identity`` names what is kept of it: whoever is listed stays so when other
    rules accuse, or for longer. ``allow``: conditions on a key, never null; rules list
    nobody of whom one holds.
    """

    identity: str
    name: str
    keys: tuple[tuple[str, Type], ...]
    rules: Mapping[str, str]
    places: Mapping[str, tuple[int, ...]]
    for_: int
    refresh: bool
    factor: int
    most: int | None
    within: int
    tell_every: int
    to: tuple[str, ...]
    allow: tuple[Node, ...] = ()


@dataclass(frozen=True, slots=True)
class Marked:
    """A field of archived events: whether the key was listed at the event's time.

    ``fields``: the event's fields that are the list's key.
    """

    name: str
    list: str
    fields: tuple[str, ...]


def compile_verdicts(
    config: PipelineConfig, rules: Iterable[Rule], problems: Problems
) -> tuple[VerdictList, ...]:
    """The lists of a pipeline; what is wrong is noted."""
    known = {rule.name: rule for rule in rules}
    written = {rule.name: rule for rule in config.rules}
    found = (
        _list(config.name, name, settings, known, written, problems)
        for name, settings in config.verdicts.items()
    )
    return tuple(one for one in found if one is not None)


def _list(
    pipeline: str,
    name: str,
    settings: VerdictSettings,
    known: Mapping[str, Rule],
    written: Mapping[str, AnyRule],
    problems: Problems,
) -> VerdictList | None:
    accusing: list[Rule] = []
    for index, rule_name in enumerate(settings.from_):
        rule = known.get(rule_name)
        place = ("verdicts", name, "from", index)
        if rule is None and rule_name not in written:
            # In place of rules whose name can't be read others stand (``salvage``).
            if not any(map(is_stand_in, written)):
                hint = suggestion(rule_name, sorted(written), "rules") or "the file has no rules"
                problems.add(place, f"there is no rule {rule_name!r}", hint)
        elif rule is None:
            # It is wrong itself, unless it is one of those that are never listed here.
            if _judges_events(written[rule_name]):
                problems.add(
                    place,
                    f"{rule_name!r} judges single events, which have no key",
                    "give it a window, for example 'window: 1s sliding'",
                )
        elif not rule.alert:
            problems.add(place, f"{rule_name!r} is a record: only alerts accuse")
        elif not rule.keys:
            problems.add(place, f"{rule_name!r} has no key: there is nobody to list", "add 'by'")
        else:
            accusing.append(rule)
    if len(accusing) != len(settings.from_) or not accusing:
        return None
    keys = _keys(name, settings, accusing, problems)
    if keys is None:
        return None
    repeat = settings.repeat
    return VerdictList(
        identity=digest("verdicts", pipeline, name, *(f"{k} {t}" for k, t in keys)),
        name=name,
        keys=keys,
        rules={rule.identity: rule.name for rule in accusing},
        places={
            rule.identity: tuple([k.name for k in rule.keys].index(field) for field, _ in keys)
            for rule in accusing
        },
        for_=int(settings.for_),
        refresh=settings.refresh,
        factor=repeat.factor if repeat else 1,
        most=int(repeat.most) if repeat else None,
        within=int(repeat.within) if repeat else 0,
        tell_every=settings.told_every,
        to=tuple(settings.to),
        allow=tuple(_allowed(name, settings, dict(keys), problems)),
    )


def _allowed(
    name: str, settings: VerdictSettings, keys: Mapping[str, Type], problems: Problems
) -> Iterator[Node]:
    """A condition for each field of the key that an allow-list of its own names."""
    for field, given in settings.allow.items():
        place = ("verdicts", name, "allow", field)
        if field not in keys:
            hint = suggestion(field, keys, "its key")
            problems.add(place, f"the key of {name!r} has no field {field!r}", hint)
        elif isinstance(given, Allowed):
            hint = "a reference can be named in the 'allow' of the rules, or in that of the file"
            problems.add(place, "a list allows values and networks only", hint)
        else:
            node = values_listed(field, given, place, keys, problems)
            if node is not None:
                yield node


def _judges_events(rule: AnyRule) -> bool:
    if isinstance(rule, Alert):
        return rule.window is None and not rule.in_order
    return isinstance(rule, Classify)


def _keys(
    name: str, settings: VerdictSettings, accusing: Iterable[Rule], problems: Problems
) -> tuple[tuple[str, Type], ...] | None:
    """The list's key fields with their types, which all rules must have alike."""
    chosen: tuple[tuple[str, Type], ...] | None = None
    for index, rule in enumerate(accusing):
        mine = {key.name: key.node.type for key in rule.keys}
        wanted = list(mine) if settings.key is None else [settings.key]
        if any(field not in mine for field in wanted):
            hint = suggestion(str(settings.key), mine, "its key")
            problems.add(
                ("verdicts", name, "key"), f"{rule.name!r} has no {settings.key!r} in its key", hint
            )
            return None
        fields = tuple((field, mine[field]) for field in wanted)
        if chosen is not None and sorted(fields) != sorted(chosen):
            problems.add(
                ("verdicts", name, "from", index),
                f"the key of {rule.name!r} is another than that of {settings.from_[0]!r}",
                "name the field that they share: key: FIELD",
            )
            return None
        chosen = chosen or fields
    return chosen


def compile_marks(
    config: PipelineConfig,
    lists: Iterable[VerdictList],
    columns: Mapping[str, Type],
    problems: Problems,
) -> tuple[Marked, ...]:
    """The fields of archived events that say who was listed; what is wrong is noted."""
    return tuple(_marks(config, {one.name: one for one in lists}, columns, problems))


def _marks(
    config: PipelineConfig,
    lists: Mapping[str, VerdictList],
    columns: Mapping[str, Type],
    problems: Problems,
) -> Iterator[Marked]:
    archive = config.archive
    for name, wanted in archive.verdicts.items() if archive is not None else ():
        place = ("archive", "verdicts", name)
        if name in columns:
            problems.add(place, f"{name!r} is a field of the event already")
        elif wanted not in config.verdicts:
            hint = suggestion(wanted, config.verdicts, "there are") or "the file has no 'verdicts'"
            problems.add(place, f"there is no list of verdicts {wanted!r}", hint)
        elif wanted in lists:
            fields = tuple(field for field, _ in lists[wanted].keys)
            missing = [
                field for field, kind in lists[wanted].keys if columns.get(field) is not kind
            ]
            if missing:
                hint = "derive a field of that name and type"
                problems.add(place, f"events have no field {missing[0]!r} as {wanted!r} has", hint)
                continue
            yield Marked(name, wanted, fields)
