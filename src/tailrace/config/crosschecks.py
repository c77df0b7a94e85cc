"""What must fit together across the sections of a pipeline file: names that refer to names.

The checks take a file in any state, so that a mistake in one section hides none in another.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase

from pydantic import BaseModel

from tailrace.config.complaints import Complaint, Path, key_of
from tailrace.config.event import ERROR, RAW
from tailrace.config.http_source import HttpSource, received_complaints
from tailrace.config.kafka import KafkaSource, beside_complaints, beside_name
from tailrace.config.operation import Limits
from tailrace.config.ordered import ORDERED_KINDS
from tailrace.config.packets import PacketSource, packet_complaints
from tailrace.config.suggestions import suggestion
from tailrace.config.values import shown


def crosscheck(given: Mapping[str, object]) -> Iterator[Complaint]:
    """Yield what doesn't fit together; ``given`` is the file's top, in YAML's values or models."""
    yield from _empty(given)
    yield from _rule_names(given)
    yield from _references(given)
    yield from _rows(given)
    yield from _alertmanagers(given)
    yield from _field_names(given)
    yield from _dedup(given)
    yield from _columns(given)
    yield from _buckets(given)
    yield from beside_complaints(given) if _is_kafka(given) else ()
    yield from received_complaints(given) if _is_http(given) else ()
    yield from _odd_packets(given) if _is_packets(given) else ()
    yield from packet_complaints(given) if _is_packets(given) else ()
    yield from _shared_targets(given)


def _part(value: object, key: str) -> object:
    """Return what stands behind a key, in a mapping or a model; None if nothing does."""
    if isinstance(value, Mapping):
        return value.get(key)
    if isinstance(value, BaseModel):
        for name, field in type(value).model_fields.items():
            if key_of(name, field) == key:
                return getattr(value, name)
    return None


def _keys(value: object) -> list[str]:
    return [key for key in value if isinstance(key, str)] if isinstance(value, Mapping) else []


def _items(value: object) -> Sequence[object]:
    return value if isinstance(value, list | tuple) else ()


def _texts(value: object, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, str):
        yield path, value
    for index, item in enumerate(_items(value)):
        if isinstance(item, str):
            yield (*path, index), item


def _rules(given: Mapping[str, object]) -> Iterator[tuple[Path, str, str | None, object]]:
    """Yield path, kind, name and rule."""
    for index, rule in enumerate(_items(given.get("rules"))):
        for kind in ("alert", "record", "classify"):
            name = _part(rule, kind)
            if name is not None:
                yield ("rules", index), kind, name if isinstance(name, str) else None, rule
                break


def _classified(given: Mapping[str, object]) -> Iterator[tuple[Path, object]]:
    """Yield the places where classifications name outputs, and what stands there."""
    for path, kind, _, rule in _rules(given):
        if kind == "classify":
            yield (*path, "to"), _part(rule, "to")
            to_label = _part(rule, "to_label")
            for label in _keys(to_label):
                yield (*path, "to_label", label), _part(to_label, label)


def _empty(given: Mapping[str, object]) -> Iterator[Complaint]:
    fields = given.get("fields")
    if isinstance(fields, Mapping) and not fields:
        yield Complaint(("fields",), "no field is declared", "for example client_ip: text")
    if not given.get("rules") and not given.get("archive"):
        hint = "add rules, or an archive that keeps the events"
        yield Complaint((), "the pipeline does nothing: no rules, no archive", hint)


def _rule_names(given: Mapping[str, object]) -> Iterator[Complaint]:
    first: dict[str, int] = {}
    for number, (path, kind, name, _) in enumerate(_rules(given), 1):
        if name is None:
            continue
        if name in first:
            message = f"the name {shown(name)} is taken by rule {first[name]} of this file"
            yield Complaint((*path, kind), message, "each rule has a name of its own")
        first.setdefault(name, number)


def _references(given: Mapping[str, object]) -> Iterator[Complaint]:
    known = _keys(given.get("outputs"))
    places = [((*path, "to"), _part(rule, "to")) for path, _, _, rule in _rules(given)]
    places += [(path, to) for path, to in _classified(given) if path[-1] != "to"]
    places.append((("archive", "to"), _part(given.get("archive"), "to")))
    places.append((("dead_letters", "to"), _part(given.get("dead_letters"), "to")))
    verdicts = given.get("verdicts")
    for name in _keys(verdicts):
        places.append((("verdicts", name, "to"), _part(_part(verdicts, name), "to")))
    for path, to in places:
        seen: set[str] = set()
        for place, name in _texts(to, path):
            if name not in known:
                hint = suggestion(name, known, "outputs") or "the file has no 'outputs'"
                yield Complaint(place, f"there is no output {shown(name)}", hint)
            elif name in seen:
                yield Complaint(place, f"the output {shown(name)} is named twice")
            seen.add(name)


def _of_events(rule: object) -> bool:
    """Whether an alert judges each event by itself."""
    return all(_part(rule, kind) is None for kind in ("window", *ORDERED_KINDS))


def _buckets(given: Mapping[str, object]) -> Iterator[Complaint]:
    most = _whole(_part(given.get("limits"), "max_distinct"))
    most = Limits.model_fields["max_distinct"].default if most is None else most
    for path, _, _, rule in _rules(given):
        leaky = _part(rule, "leaky")
        capacity = _whole(_part(leaky, "capacity"))
        if capacity is None or capacity < most or _part(leaky, "distinct") is None:
            continue
        message = f"the bucket never overflows: it takes {most} distinct values at the most"
        hint = f"set limits.max_distinct to {capacity + 1} or more"
        yield Complaint((*path, "leaky", "capacity"), message, hint)


def _whole(value: object) -> int | None:
    """A whole number, written or read; None for anything else."""
    if isinstance(value, str) and value.isascii() and value.isdecimal():
        return int(value)
    return value if isinstance(value, int) else None


def _rows(given: Mapping[str, object]) -> Iterator[Complaint]:
    outputs = given.get("outputs")
    by_windows = {
        name for name in _keys(outputs) if _part(_part(outputs, name), "rows") == "windows"
    }
    for path, kind, _, rule in _rules(given):
        if kind == "alert" and _of_events(rule):
            for place, name in _texts(_part(rule, "to"), (*path, "to")):
                if name in by_windows:
                    message = (
                        f"the output {shown(name)} takes rows of windows, and the alert has none"
                    )
                    yield Complaint(place, message, "remove 'rows: windows' or add a window")
    others = [(path, to, "labels have") for path, to in _classified(given)]
    for section, what in (("archive", "an archive has"), ("dead_letters", "dead letters have")):
        others.append(((section, "to"), _part(given.get(section), "to"), what))
    for path, to, what in others:
        for place, name in _texts(to, path):
            if name in by_windows:
                message = f"the output {shown(name)} takes rows of windows, and {what} none"
                yield Complaint(place, message, "remove 'rows: windows'")


def _alertmanagers(given: Mapping[str, object]) -> Iterator[Complaint]:
    """Yield what is sent to an Alertmanager and has no end: it takes incidents alone."""
    outputs = given.get("outputs")
    named = {name for name in _keys(outputs) if _is_kind(_part(outputs, name), "alertmanager")}
    for name in named:
        if _part(_part(outputs, name), "rows") == "windows":
            message = "an Alertmanager takes incidents, no rows of windows"
            yield Complaint(("outputs", name, "rows"), message, "remove 'rows: windows'")
    senders = [
        ((*path, "to"), "a record has no incidents", _part(rule, "to"))
        if kind == "record"
        else ((*path, "to"), "an alert without a window has no incidents", _part(rule, "to"))
        for path, kind, _, rule in _rules(given)
        if kind == "record" or (kind == "alert" and _of_events(rule))
    ]
    senders += [(path, "labels have no incidents", to) for path, to in _classified(given)]
    for section, what in (("archive", "an archive has"), ("dead_letters", "dead letters have")):
        to = _part(given.get(section), "to")
        senders.append(((section, "to"), f"{what} no incidents", to))
    for name in _keys(given.get("verdicts")):
        to = _part(_part(given.get("verdicts"), name), "to")
        senders.append((("verdicts", name, "to"), "verdicts are no incidents", to))
    for path, what, to in senders:
        for place, name in _texts(to, path):
            if name in named:
                message = f"the output {shown(name)} is an Alertmanager, and {what}"
                yield Complaint(place, message, "send them to an output of another kind")


def _is_kind(output: object, kind: str) -> bool:
    if isinstance(output, Mapping):
        return kind in output
    return getattr(output, kind, None) is not None


def _path_fields(given: Mapping[str, object]) -> list[str]:
    source = given.get("source")
    pattern = _part(_part(source, "file") if isinstance(source, Mapping) else source, "fields")
    if not isinstance(pattern, str):
        return []
    try:
        return list(re.compile(pattern).groupindex)
    except (re.error, OverflowError, RecursionError):
        return []


def _field_names(given: Mapping[str, object]) -> Iterator[Complaint]:
    yield from _twins(given)
    declared = _keys(given.get("fields"))
    for name in (RAW, ERROR) if given.get("on_error") == "classify" else ():
        for section in ("fields", "derive"):
            if name in _keys(given.get(section)):
                message = f"the field {shown(name)} is there already (on_error: classify)"
                yield Complaint((section, name), message, "give it another name", at_key=True)
    from_path = _path_fields(given)
    for name in from_path:
        if name in declared:
            message = f"the field {shown(name)} comes from the path already (source.file.fields)"
            yield Complaint(("fields", name), message, at_key=True)
    for name in _keys(given.get("derive")):
        if name in declared or name in from_path:
            message = f"{shown(name)} is a field of the record already"
            yield Complaint(
                ("derive", name), message, "a derived field has its own name", at_key=True
            )


def _twins(given: Mapping[str, object]) -> Iterator[Complaint]:
    """Yield names that differ only in upper and lower case, which expressions don't tell apart."""
    first: dict[str, str] = {}
    for section in ("fields", "derive"):
        for name in _keys(given.get(section)):
            other = first.setdefault(name.lower(), name)
            if other != name:
                message = f"{shown(name)} and {shown(other)} differ only in upper and lower case"
                hint = "expressions don't tell them apart; rename one (and give 'from')"
                yield Complaint((section, name), message, hint, at_key=True)


def _dedup(given: Mapping[str, object]) -> Iterator[Complaint]:
    known = [*_keys(given.get("fields")), *_path_fields(given)]
    for place, name in _texts(_part(given.get("dedup"), "by"), ("dedup", "by")):
        if name not in known:
            yield Complaint(
                place, f"there is no field {shown(name)}", suggestion(name, known, "fields")
            )


def _is_kafka(given: Mapping[str, object]) -> bool:
    source = given.get("source")
    return isinstance(source, KafkaSource) or _part(source, "kafka") is not None


def _is_http(given: Mapping[str, object]) -> bool:
    source = given.get("source")
    return isinstance(source, HttpSource) or (isinstance(source, Mapping) and "http" in source)


def _is_packets(given: Mapping[str, object]) -> bool:
    source = given.get("source")
    if isinstance(source, Mapping):
        return "pcap" in source or "capture" in source
    return isinstance(source, PacketSource)


def _odd_packets(given: Mapping[str, object]) -> Iterator[Complaint]:
    """Yield that broken packets can't be events: there is no text of them to keep."""
    if given.get("on_error") == "classify":
        message = "a packet that can't be read is a dead letter, never an event"
        yield Complaint(("on_error",), message, "remove 'on_error'; rules see all other packets")


def _columns(given: Mapping[str, object]) -> Iterator[Complaint]:
    """Yield fields that read a column which the CSV format doesn't have, or of a plain value."""
    format_ = given.get("format")
    csv = _part(format_, "csv") if isinstance(format_, Mapping) else format_
    columns = [name for name in _items(_part(csv, "columns")) if isinstance(name, str)]
    what, which = "the CSV format has no column", "columns"
    if format_ == "plain":
        columns, what, which = ["value"], "a plain record has no part", "parts"
    if not columns:
        return
    fields = given.get("fields")
    beside = beside_name if _is_kafka(given) else lambda _: None
    read: list[tuple[Path, object]] = [(("time", "field"), _part(given.get("time"), "field"))]
    for name in _keys(fields):
        key = _part(_part(fields, name), "from")
        path: Path = ("fields", name) if key is None else ("fields", name, "from")
        read.append((path, name if key is None else key))
    for path, key in read:
        if isinstance(key, str) and key not in columns and beside(key) is None:
            message = f"{what} {shown(key)}"
            hint = suggestion(key, columns, which)
            yield Complaint(path, message, hint, at_key=path[-1] == key)


def _shared_targets(given: Mapping[str, object]) -> Iterator[Complaint]:
    outputs = given.get("outputs")
    source = given.get("source")
    file = _part(source, "file") if isinstance(source, Mapping) else source
    read = [path for _, path in _texts(_part(file, "path"), ())]
    first: dict[tuple[str, str], str] = {}
    for name in _keys(outputs):
        for kind, key in (("file", "path"), ("table", "name")):
            target = _part(_part(_part(outputs, name), kind), key)
            if not isinstance(target, str):
                continue
            target = target.rstrip("/") if kind == "file" else target.lower()
            other = first.setdefault((kind, target), name)
            if other != name:
                message = f"the output {shown(other)} writes to {shown(target)} already"
                yield Complaint(("outputs", name, kind, key), message)
            if kind == "file" and any(fnmatchcase(target, pattern) for pattern in read):
                message = f"the source reads {shown(target)}: its own output would come in again"
                yield Complaint(("outputs", name, kind, key), message)
