"""What a person asks about, read: a key and an instant as they are written on a command line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tailrace.errors import TailraceError
from tailrace.expr.nodes import Type
from tailrace.formats.spec import TimeForm
from tailrace.formats.times import time
from tailrace.formats.values import BadValueError, boolean, integer
from tailrace.formats.zones import zone_of
from tailrace.plan.identity import Time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tailrace.plan.identity import Scalar
    from tailrace.plan.model import Key, Plan, Rule


def window_rule(plan: Plan, name: str) -> Rule:
    """The rule over windows of that name; TailraceError if there is none."""
    for rule in plan.rules:
        if rule.name == name:
            return rule
    known = ", ".join(rule.name for rule in plan.rules) or "none"
    if plan.rule(name) is not None:
        raise TailraceError(
            f"{name} judges each event by itself: it has no windows to explain",
            hint=f"rules over windows: {known}",
        )
    raise TailraceError(f"there is no rule {name!r}", hint=f"rules over windows: {known}")


def read_time(text: str) -> int:
    """Microseconds of an instant: ISO 8601 (UTC if it has no zone), or seconds since 1970."""
    try:
        return time(text, TimeForm.AUTO, zone_of("UTC"), None)
    except BadValueError as error:
        raise TailraceError(
            f"{text!r}: {error}", hint="write 2024-05-01T12:00:00Z, or seconds since 1970"
        ) from None


def read_key(rule: Rule, text: str | None) -> tuple[Scalar, ...]:
    """A rule's key as typed values.

    One field: its value. Several: ``a=1,b=x`` in any order, or a JSON object or list. A rule
    without a key takes None, nothing or ``-``.
    """
    names = [key.name for key in rule.keys]
    if not names:
        if text not in (None, "", "-"):
            raise TailraceError(f"{rule.name} has no key: it counts all events together")
        return ()
    how = _how(names)
    if text is None:
        raise TailraceError(f"{rule.name} needs a key: {', '.join(names)}", hint=how)
    given = _given(names, text, how)
    if len(names) == 1 and names[0] not in given:
        given = {names[0]: text}
    if set(given) != set(names):
        raise TailraceError(f"the key of {rule.name} is {', '.join(names)}", hint=how)
    return tuple(_typed(key, given[key.name]) for key in rule.keys)


def key_values(rule: Rule, given: Mapping[str, object] | Sequence[object] | object) -> str | None:
    """What Python gives as a key, in the form that ``read_key`` takes."""
    if given is None or isinstance(given, str):
        return given
    if isinstance(given, dict | list | tuple):
        return json.dumps(given, default=str)
    return json.dumps({rule.keys[0].name: given}, default=str) if rule.keys else str(given)


def _how(names: list[str]) -> str:
    if len(names) == 1:
        return f"write its value, or {names[0]}=VALUE"
    return f"write {','.join(f'{name}=VALUE' for name in names)}, or JSON"


def _given(names: list[str], text: str, how: str) -> dict[str, object]:
    if text.lstrip().startswith(("{", "[")):
        try:
            body = json.loads(text)
        except ValueError:
            body = None
        if isinstance(body, list) and len(body) == len(names):
            return dict(zip(names, body, strict=True))
        if isinstance(body, dict):
            return body
    if len(names) == 1:
        name, sign, value = text.partition("=")
        return {name: value} if sign and name == names[0] else {}
    pairs = [part.partition("=") for part in text.split(",")]
    if not all(sign for _, sign, _ in pairs):
        raise TailraceError(f"{text!r} is no key", hint=how)
    return {name.strip(): value for name, _, value in pairs}


def _typed(key: Key, value: object) -> Scalar:
    text = value if isinstance(value, str) else json.dumps(value)
    try:
        match key.node.type:
            case Type.INTEGER:
                return integer(text)
            case Type.BOOLEAN:
                return boolean(text)
            case Type.TIME:
                return Time(read_time(text))
            case _:
                return text
    except BadValueError as error:
        raise TailraceError(f"{key.name}: {error}: {text!r}") from None
