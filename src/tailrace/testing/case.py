"""What a test file says, as frozen values: a pipeline, steps in order, and what is expected.

Reading the text is `format`'s business; comparing with an outcome is `compare`'s.
All times are int microseconds since 1970-01-01T00:00:00Z.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from tailrace.errors import TailraceError, Where


class CaseFileError(TailraceError):
    """A test file is wrong; every problem found is listed with its line and column."""


@dataclass(frozen=True, slots=True)
class Number:
    """A number as it was written, so that digits are neither lost nor rounded on the way."""

    text: str


Scalar = None | bool | str | Number


@dataclass(frozen=True, slots=True)
class Row:
    """One record of a partition: named values at a time, or the bytes of the record itself.

    Exactly one of `time` and `raw` is set. `arrival` is the record's arrival time where the test
    gives one (`@arrival`). `comment` is what stands behind `#`.
    """

    where: Where
    time: int | None = None
    values: tuple[tuple[str, Scalar], ...] = ()
    raw: bytes | None = None
    arrival: int | None = None
    comment: str = ""


@dataclass(frozen=True, slots=True)
class Rows:
    """Records of one partition, in order."""

    where: Where
    partition: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Appear:
    """The partition is seen for the first time now; others are live from the beginning."""

    where: Where
    partition: str


@dataclass(frozen=True, slots=True)
class Idle:
    """It is decided that the partition is idle: it no longer holds the watermark."""

    where: Where
    partition: str


@dataclass(frozen=True, slots=True)
class Return:
    """An idle partition is live again."""

    where: Where
    partition: str


@dataclass(frozen=True, slots=True)
class Clock:
    """`micros` pass while all partitions are idle, so that the watermark follows the clock."""

    where: Where
    micros: int


@dataclass(frozen=True, slots=True)
class Reload:
    """The pipeline file is replaced by this text; the rest of the case runs with it."""

    where: Where
    pipeline_text: str


@dataclass(frozen=True, slots=True)
class TableRows:
    """The reference is loaded, with these rows and no others; `rows` as in `Row`, with a place."""

    where: Where
    reference: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class Manual:
    """A person bans or allows a key of a list of verdicts, or takes that back; `lasts` in micros.

    `key`: a value, or `field=value` for each field of the list's key.
    """

    where: Where
    act: str
    list: str
    key: tuple[str, ...]
    lasts: int | None = None


@dataclass(frozen=True, slots=True)
class End:
    """The input was bounded and ends; nothing but expectations follows."""

    where: Where


Step = Rows | Appear | Idle | Return | Clock | Reload | TableRows | Manual | End


class Kind(StrEnum):
    """What an expectation is about."""

    ALERTS = "alerts"
    WINDOWS = "windows"
    EVENTS = "events"
    DEAD = "dead"
    COUNTS = "counts"
    METRICS = "metrics"
    VERDICTS = "verdicts"
    ARCHIVE = "archive"


class Match(StrEnum):
    """Whether the rows are all there is (EXACT), some of it (SOME), or must be absent (NONE)."""

    EXACT = "exact"
    SOME = "some"
    NONE = "no"


@dataclass(frozen=True, slots=True)
class Expected:
    """An expected value as written: `~0.33` is approximate, `time` is set if it reads as a time."""

    text: str
    value: Scalar
    time: int | None = None
    approximate: bool = False


Attributes = tuple[tuple[str, Expected], ...]


@dataclass(frozen=True, slots=True)
class ExpectedRow:
    """One expected row; what it doesn't mention isn't compared.

    `word` is an alert's reason. `record` is (partition, number of the record from 1).
    """

    where: Where
    text: str
    word: str | None = None
    window: tuple[int, int] | None = None
    record: tuple[str, int] | None = None
    attributes: Attributes = ()


@dataclass(frozen=True, slots=True)
class Expectation:
    """What must hold of one kind of result: of `rule` if the kind has rules, where `only` holds."""

    where: Where
    kind: Kind
    match: Match
    rule: str | None = None
    only: Attributes = ()
    rows: tuple[ExpectedRow, ...] = ()


class Also(StrEnum):
    """Transformations that must not change what the case expects."""

    SHUFFLED = "shuffled"
    """Rows swap places as long as none becomes late."""
    SPREAD = "spread"
    """Rows are dealt out to several partitions."""


@dataclass(frozen=True, slots=True)
class Case:
    """One test: run `steps` through the pipeline, then compare with `expectations`.

    `pipeline_text` keeps the line numbers of `pipeline_file`, so that its errors point into that
    file. `start` is the time that `0s` means, `salt` the decision that bounded rules hash their
    keys with. `appearing` are the partitions that a step lets appear; all other `partitions` are
    live from the beginning.
    """

    name: str
    where: Where
    pipeline_text: str
    pipeline_file: str
    sets: tuple[str, ...]
    start: int
    salt: str
    also: frozenset[Also]
    steps: tuple[Step, ...]
    expectations: tuple[Expectation, ...]

    @property
    def partitions(self) -> tuple[str, ...]:
        """All partitions that the steps name, sorted."""
        named = (step.partition for step in self.steps if isinstance(step, Rows | Appear | Idle))
        return tuple(sorted(set(named)))

    @property
    def appearing(self) -> frozenset[str]:
        """The partitions that are not live from the beginning."""
        return frozenset(step.partition for step in self.steps if isinstance(step, Appear))
