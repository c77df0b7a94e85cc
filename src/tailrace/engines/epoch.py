"""The plan of an epoch: which slices it reads and what was decided; stored before it runs.

Whatever does not follow from the contents of the partitions stands here (SEMANTICS 3), so a re-run
after a crash does the same again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, cast

from tailrace.sources.types import Slice

if TYPE_CHECKING:
    from tailrace.sources.types import Json


class DecisionKind(StrEnum):
    """What can be decided."""

    APPEARED = "appeared"
    """A partition was seen for the first time; it starts at the watermark."""
    RETURNED = "returned"
    """An idle partition has news; it starts at the watermark."""
    ENDED = "ended"
    """A bounded partition is read to its end; it no longer holds the watermark."""
    IDLE = "idle"
    """A partition had nothing for ``idle_after``; it no longer holds the watermark."""
    CLOCK = "clock"
    """All partitions are idle and the watermark follows the clock to ``value``."""
    RULE_START = "rule_start"
    """A rule (``subject`` its identity) begins at event time ``value``."""
    REFERENCE = "reference"
    """A reference (``subject`` its name) has another ``version`` from here on.

    ``value`` is the watermark then: windows that end after it are judged by that version.
    """
    MANUAL = "manual"
    """A person banned or allowed a key of a list of verdicts, or took that back."""
    FINAL = "final"
    """All input has ended."""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision about a partition or rule (``subject``), with a time (microseconds) if any.

    ``version``: of a reference.
    """

    kind: DecisionKind
    subject: str = ""
    value: int | None = None
    version: str | None = None

    @property
    def body(self) -> dict[str, object]:
        """What the decision log keeps beside the kind."""
        body: dict[str, object] = {"subject": self.subject, "value": self.value}
        return body if self.version is None else body | {"version": self.version}


@dataclass(frozen=True, slots=True)
class EpochPlan:
    """Decisions before the slices, the slices in order, decisions after them."""

    epoch: int
    before: tuple[Decision, ...] = ()
    slices: tuple[Slice, ...] = ()
    after: tuple[Decision, ...] = ()
    notes: dict[str, int] = field(default_factory=dict)

    @property
    def final(self) -> bool:
        """Whether all input ends with this epoch."""
        return any(decision.kind is DecisionKind.FINAL for decision in self.after)

    def to_json(self) -> dict[str, object]:
        """A JSON object from which ``from_json`` makes an equal plan."""
        return asdict(self)

    @classmethod
    def from_json(cls, body: dict[str, object]) -> EpochPlan:
        """Read the stored form."""
        plan = cast("dict[str, list[dict[str, Json]]]", body)
        return cls(
            epoch=cast("int", body["epoch"]),
            before=_decisions(plan["before"]),
            slices=tuple(Slice(**piece) for piece in plan["slices"]),  # type: ignore[arg-type]  # to_json wrote it
            after=_decisions(plan["after"]),
            notes=cast("dict[str, int]", body["notes"]),
        )

    def decisions(self) -> list[tuple[str, dict[str, object]]]:
        """All decisions, as rows of the decision log."""
        return [(d.kind.value, d.body) for d in (*self.before, *self.after)]


def _decisions(rows: list[dict[str, Json]]) -> tuple[Decision, ...]:
    return tuple(
        Decision(
            DecisionKind(str(row["kind"])),
            cast("str", row["subject"]),
            cast("int | None", row["value"]),
            cast("str | None", row.get("version")),
        )
        for row in rows
    )
