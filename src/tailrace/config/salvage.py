"""What is left of a pipeline file when its mistakes are taken out.

So that a mistake in one place hides none in an expression elsewhere: the parts that expressions
depend on are kept, what is wrong in them is replaced by something about which nobody complains.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationError

from tailrace.config.classify import REASONS
from tailrace.config.complaints import Complaint, Path, complaints_of
from tailrace.config.ordered import ORDERED_KINDS
from tailrace.config.pipeline import PipelineConfig

_ROUNDS = 12
"""A repair can bring a new complaint to light, but not often."""

_WITHOUT = ("outputs", "archive", "store", "explain", "dead_letters", "outbox", "web")
"""Sections that no expression depends on."""

_STAND_INS = {
    "name": "pipeline",
    "source": {"stdin": {}},
    "format": "json",
    "time": {"field": "time"},
}
_KINDS = ("alert", "record", "classify")
_RULE = {"alert": "rule", "when": "true"}
_RULE_STAND_INS = {"when": "true", "window": "1m", "select": {"_": "count(*)"}}
_MAPPINGS = {"select": "count(*)", "labels": "", "annotations": "", "derive": "null"}
_FIELD = "text"


@dataclass(frozen=True, slots=True)
class Salvaged:
    """A configuration without the mistakes.

    ``doubtful``: its fields whose types aren't known, and references of which nothing is.
    """

    config: PipelineConfig
    doubtful: frozenset[str]


def salvaged(top: Mapping[str, object]) -> Salvaged | None:
    """Return what is left of a file's values; None if its fields can't be made out at all."""
    repair = _Repair(deepcopy({key: v for key, v in top.items() if key not in _WITHOUT}))
    for _ in range(_ROUNDS):
        repair.complete()
        try:
            config = PipelineConfig.model_validate(repair.top, by_alias=True, by_name=False)
        except ValidationError as error:
            if not all(repair.mend(complaint) for complaint in complaints_of(error)):
                return None
        else:
            return Salvaged(config, frozenset(repair.doubtful))
    return None


def is_stand_in(name: str) -> bool:
    """Whether that is the name of a rule that stands where one was that can't be made out."""
    return name.startswith("_") and name[1:].isdecimal()


@dataclass(slots=True)
class _Repair:
    top: dict[str, object]
    doubtful: set[str] = field(default_factory=set)

    def complete(self) -> None:
        """Put in what must be there, and take out what refers to the sections left out."""
        for key, value in _STAND_INS.items():
            if self.top.get(key) is None:
                self.top[key] = deepcopy(value)
        rules = self.top.get("rules")
        if not isinstance(rules, list) or not rules:
            self.top["rules"] = rules = [dict(_RULE)]
        for index, rule in enumerate(rules):
            if not isinstance(rule, dict) or sum(kind in rule for kind in _KINDS) != 1:
                rules[index] = {**_RULE, "alert": f"_{index}"}
            else:
                _complete_rule(rule)

    def mend(self, complaint: Complaint) -> bool:
        """Replace or remove what a complaint is about.

        False if nothing can be said about expressions then.
        """
        path = complaint.path
        if complaint.unknown:
            self._remove(path)
            return True
        match path:
            case ("fields",) | ():
                return False
            case ("source", *_):
                return self._mend_source(path)
            case ("fields", str(name), *inside):
                return self._mend_field(name, inside)
            case ("rules", int(index)):
                self._rules()[index] = {**_RULE, "alert": f"_{index}"}
            case ("rules", int(index), str(key), *inside):
                self._mend_rule(index, key, inside)
            case ("derive", str(name), *_):
                self._put(self._mapping("derive"), name, _MAPPINGS["derive"])
                self.doubtful.add(name)
            case ("references", str(name), *_):
                self._mapping("references").pop(name, None)
                self.doubtful.add(name)
            case (str(section), *_) if section in _STAND_INS:
                self.top[section] = deepcopy(_STAND_INS[section])
            case _:
                self.top.pop(str(path[0]), None)
        return True

    def _mend_source(self, path: Path) -> bool:
        """Keep the fields that come from the path; False if it can't be said which."""
        source = self.top["source"]
        file = source.get("file") if isinstance(source, dict) else None
        pattern = file.get("fields") if isinstance(file, dict) else None
        if path[:3] == ("source", "file", "fields") or (pattern is None and _mentions(source)):
            return False
        if isinstance(pattern, str):
            self.top["source"] = {"file": {"path": "file", "fields": pattern}}
        else:
            self.top["source"] = deepcopy(_STAND_INS["source"])
        return True

    def _mend_field(self, name: str, inside: list[str | int]) -> bool:
        fields = self._mapping("fields")
        spec = fields.get(name)
        if inside and inside != ["type"] and isinstance(spec, dict):
            spec.pop(inside[0], None)
            return True
        self.doubtful.add(name)
        if spec == _FIELD:
            # It is about the name itself.
            fields.pop(name, None)
            return bool(fields)
        fields[name] = _FIELD
        return True

    def _mend_rule(self, index: int, key: str, inside: list[str | int]) -> None:
        rule = self._rules()[index]
        if isinstance(name := rule.get("classify"), str):
            # The fields that it adds are there, but nothing is known of them.
            self.doubtful |= {name, name + REASONS}
            self._rules()[index] = {**_RULE, "alert": f"_{index}"}
            return
        if key in _KINDS:
            rule[key] = f"_{index}"
        elif key == "by":
            # Without its key nothing can be said about what is counted by it.
            rule.pop("by", None)
            for dependent in ("when", "select", "labels", "annotations"):
                rule.pop(dependent, None)
        elif key in _MAPPINGS and inside and isinstance(rule.get(key), dict):
            # The name stays, so templates that have it in them are right.
            self._put(rule[key], str(inside[0]), _MAPPINGS[key])
        elif key in ORDERED_KINDS:
            # It is a rule with a key all the same; which measures it has nobody knows.
            for dependent in (key, "select", "labels", "annotations"):
                rule.pop(dependent, None)
            rule |= {name: _RULE_STAND_INS[name] for name in ("window", "when")}
        else:
            rule.pop(key, None)
            if key == "labels":
                rule.pop("annotations", None)
            elif key == "window":
                rule[key] = _RULE_STAND_INS[key]

    def _put(self, mapping: dict[str, object], name: str, stand_in: str) -> None:
        """Put in a stand-in; where there is one already the complaint is about the name."""
        if mapping.get(name) == stand_in:
            mapping.pop(name, None)
        else:
            mapping[name] = stand_in

    def _remove(self, path: Path) -> None:
        holder: object = self.top
        for step in path[:-1]:
            # An earlier repair may have taken it away already.
            if isinstance(holder, dict):
                holder = holder.get(step)
            elif isinstance(holder, list) and isinstance(step, int) and step < len(holder):
                holder = holder[step]
        if isinstance(holder, dict):
            holder.pop(path[-1], None)

    def _rules(self) -> list[dict[str, Any]]:
        rules = self.top["rules"]
        assert isinstance(rules, list)  # noqa: S101 - complete() made it so
        return rules

    def _mapping(self, section: str) -> dict[str, object]:
        value = self.top.get(section)
        return value if isinstance(value, dict) else {}


def _complete_rule(rule: dict[str, Any]) -> None:
    rule.pop("to", None)
    rule.pop("to_label", None)
    if "classify" in rule:
        return
    if any(rule.get(kind) is not None for kind in ORDERED_KINDS):
        return
    for key in ("when",) if "alert" in rule else ("window", "select"):
        if not rule.get(key):
            rule[key] = deepcopy(_RULE_STAND_INS[key])
            if key != "window":
                # Nobody knows which measures it was to have.
                rule.pop("labels", None)
                rule.pop("annotations", None)


def _mentions(source: object, key: str = "fields") -> bool:
    if not isinstance(source, dict):
        return False
    return any(name == key or _mentions(value, key) for name, value in source.items())
