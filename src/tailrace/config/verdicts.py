"""Lists of verdicts: who is an offender now, accused by alerts, until when."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar

from pydantic import Field

from tailrace.config.allow import Allow
from tailrace.config.base import Given, Model
from tailrace.config.complaints import Complaint
from tailrace.config.forms import NothingIsEmpty
from tailrace.config.scalars import FieldName, Flag, PositiveSpan, at_least
from tailrace.config.several import Several, SeveralOrNone
from tailrace.config.units import Duration

_Factor = Annotated[int, *at_least(2)]
_MOST_TELL = 60_000_000


class Repeat(Model):
    """How much longer those stay who come again."""

    factor: _Factor = Field(
        default=2, description="Each further listing lasts so many times as long as the one before."
    )
    most: PositiveSpan = Field(
        default=Duration(7 * 86_400_000_000), description="No listing lasts longer."
    )
    within: PositiveSpan = Field(
        default=Duration(30 * 86_400_000_000),
        description="Earlier listings count that began no longer ago than this.",
    )


class VerdictSettings(Model):
    """One list of offenders: keys that alerts accuse, each until some time after the last firing.

    Everything is by event time. `tailrace lookup` and `GET /lookup/NAME?key=...` answer from it,
    `tailrace verdicts` bans and allows by hand.
    """

    elsewhere: ClassVar[Mapping[str, str]] = {
        "ttl": "how long a verdict lasts is called 'for'",
        "expire": "how long a verdict lasts is called 'for'",
        "rules": "the accusing alerts are named in 'from'",
        "alerts": "the accusing alerts are named in 'from'",
    }

    from_: Several = Field(
        validation_alias="from",
        serialization_alias="from",
        description="The alerts that accuse, by name; all with the same key.",
        examples=[["fast", "clicks"]],
    )
    for_: PositiveSpan = Field(
        validation_alias="for",
        serialization_alias="for",
        description="How long a key stays listed after the last firing.",
        examples=["10m"],
    )
    key: FieldName | None = Field(
        default=None,
        description="The field of the alerts' keys that is listed; by default the whole key.",
        examples=["client_ip"],
    )
    allow: Allow = Field(
        default={},
        description=(
            "Keys that alerts never put on this list, by field of the key: values or networks."
        ),
        examples=[{"client_ip": ["10.0.0.0/8", "203.0.113.7"]}],
    )
    refresh: Flag = Field(
        default=True,
        description=(
            "Whether each further firing counts `for` anew; otherwise it counts from the first, and"
            " a key that goes on is listed again after that."
        ),
    )
    repeat: Annotated[Repeat | None, NothingIsEmpty] = Field(
        default=None, description="How much longer repeaters are listed.", examples=[{"factor": 2}]
    )
    tell_every: PositiveSpan | None = Field(
        default=None,
        description=(
            "While firings go on, outputs are told at most so often that a listing lasts longer; by"
            " default a tenth of `for`, at most a minute."
        ),
    )
    to: SeveralOrNone = Field(default=(), description="The outputs, by name.", examples=["redis"])

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Outputs must hear of a listing before it ends."""
        told, lasts = given.get("tell_every"), given.get("for")
        if isinstance(told, str) and isinstance(lasts, str):
            try:
                if Duration(told) <= Duration(lasts):
                    return
            except ValueError:
                return
            hint = "outputs would hear too late that a listing lasts longer"
            yield Complaint(("tell_every",), "it is longer than 'for'", hint)

    @property
    def told_every(self) -> int:
        """In microseconds."""
        if self.tell_every is not None:
            return int(self.tell_every)
        return max(1, min(int(self.for_) // 10, _MOST_TELL))
