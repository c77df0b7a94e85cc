"""What the fold remembers of one (rule, key) from one epoch to the next, and its stored form.

Stored as JSON text, read back exactly; a key with nothing to remember has no state at all. The
lives are named tuples because a flood makes one for each key and epoch (0.5 µs, a frozen dataclass
2 µs).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NamedTuple

from tailrace.plan.identity import Key, Scalar, Time, digest


class Pending(NamedTuple):
    """Firing without a gap since the window end ``since``, but not yet for as long as ``for`` asks.

    ``last`` is the end of its last firing window.
    """

    since: int
    last: int

    def due(self, every: int, keep_firing_for: int) -> int:  # noqa: ARG002 - as all lives
        """The watermark at which it is over if nothing fires."""
        return self.last + every


class Firing(NamedTuple):
    """An incident that is open.

    ``since``: end of its first firing window; ``opened_at``: of the one that opened it; ``last``:
    of the last one, to which ``measures`` and ``flags`` belong. ``revision`` is the last one's
    number; ``update_due``: the next update is at the first firing at or after it (None: no
    updates). ``notices``: ids of the early notices that it confirms.
    """

    fingerprint: str
    since: int
    opened_at: int
    last: int
    revision: int
    update_due: int | None
    measures: dict[str, Scalar]
    flags: int
    notices: tuple[str, ...]

    def due(self, every: int, keep_firing_for: int) -> int:
        """The watermark at which it is over if nothing fires."""
        return self.last + every + keep_firing_for


class Cooldown(NamedTuple):
    """Firings whose end is before ``until`` open nothing."""

    until: int

    def due(self, every: int, keep_firing_for: int) -> int:  # noqa: ARG002 - as all lives
        """The watermark at which it is over if nothing fires."""
        return self.until


class Noticed(NamedTuple):
    """An early notice went out that an incident has yet to confirm.

    ``end`` is the end of the window that will fire, ``notice`` the notice's id.
    """

    end: int
    notice: str

    def due(self, every: int, keep_firing_for: int) -> int:  # noqa: ARG002 - as all lives
        """The watermark at which it is over if nothing fires."""
        return self.end


class Reached(NamedTuple):
    """The instant up to which the rule was judged: the ``last`` of all incidents ``STILL`` firing.

    No key's life, but the rule's; stored so that theirs need not be at every new instant.
    """

    known: int


STILL = 2**63 - 1
"""In the stored form of ``Firing.last``: what ``Reached`` says."""

Life = Pending | Firing | Cooldown | Noticed

_PHASES: dict[str, type[Life | Reached]] = {
    "pending": Pending,
    "firing": Firing,
    "cooldown": Cooldown,
    "noticed": Noticed,
    "reached": Reached,
}
_NAMES = {kind: name for name, kind in _PHASES.items()}


@dataclass(frozen=True, slots=True)
class IncidentState:
    """The state of one key under one rule (its identity); ``Reached`` has no key."""

    rule: str
    key: Key
    life: Life | Reached

    @property
    def place(self) -> str:
        """Under what the store keeps it: the digest of rule and key."""
        if isinstance(self.life, Reached):
            return digest("reached", self.rule)
        return digest(self.rule, *self.key)

    def to_json(self) -> str:
        """Text from which ``from_json`` makes an equal state."""
        life: dict[str, Any] = {"phase": _NAMES[type(self.life)]} | self.life._asdict()
        if isinstance(self.life, Firing):
            life["measures"] = {name: stored_value(v) for name, v in self.life.measures.items()}
        document = {
            "rule": self.rule,
            "key": [stored_value(value) for value in self.key],
            "life": life,
        }
        return json.dumps(document, ensure_ascii=True, allow_nan=False, separators=(",", ":"))

    @classmethod
    def from_json(cls, text: str) -> IncidentState:
        """The state that ``to_json`` wrote."""
        document = json.loads(text)
        return cls(
            rule=document["rule"],
            key=tuple(typed_value(value) for value in document["key"]),
            life=_life(document["life"]),
        )


def _life(document: dict[str, Any]) -> Life | Reached:
    kind = _PHASES[document.pop("phase")]
    if kind is Firing:
        document["notices"] = tuple(document["notices"])
        document["measures"] = {n: typed_value(value) for n, value in document["measures"].items()}
    return kind(**document)


def stored_value(value: Scalar) -> Any:  # noqa: ANN401 - JSON of any form
    """A typed value as JSON that ``typed_value`` reads back exactly."""
    return {"time": int(value)} if isinstance(value, Time) else value


def typed_value(stored: Any) -> Scalar:  # noqa: ANN401 - JSON of any form
    """What ``stored_value`` wrote."""
    if isinstance(stored, dict):
        return Time(stored["time"])
    value: Scalar = stored
    return value
