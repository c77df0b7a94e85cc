"""Lists of verdicts: who is listed when, from all firings anew, one instant after the other.

A list knows every firing that its rules ever had. What happened to a key up to an instant is worked
out from the beginning each time; what was told before must come out again.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from tests.oracle import identity
from tests.oracle.looking import is_listed
from tests.oracle.rules import Rules, WindowRule

from tailrace.config import PipelineConfig
from tailrace.config.verdicts import VerdictSettings
from tailrace.testing.case import Manual as Step
from tailrace.testing.outcome import Archived, Value, Verdict

Key = tuple[Value, ...]

FOR_EVER = 2**62

STATES = {"ban": "banned", "allow": "allowed", "undo": "lifted"}


@dataclass(frozen=True)
class Accused:
    """A rule's condition holds for a key at all instants from the first to the last.

    ``free``: the first instant from which the rule has nothing against the key. ``firing``: it
    began with a firing; otherwise it only goes on.
    """

    rule: str
    first: int
    last: int
    free: int
    firing: bool
    measures: Mapping[str, Value]


@dataclass
class Listing:
    since: int
    lasts: int
    free: int
    told_at: int
    told_free: int
    first_seen: int
    last_seen: int
    reasons: dict[str, int] = field(default_factory=dict)
    measures: Mapping[str, Value] = field(default_factory=dict)
    number: int = 0

    @property
    def until(self) -> int:
        return self.free + self.lasts


@dataclass
class Manual:
    """What a person said of a key; it holds before `until` (None: for ever)."""

    act: str
    at: int
    until: int | None
    number: int = 0

    @property
    def ends(self) -> int:
        return FOR_EVER if self.until is None else self.until


@dataclass
class List:
    name: str
    pipeline: str
    settings: VerdictSettings
    key_names: tuple[str, ...]
    accused: dict[Key, list[Accused]] = field(default_factory=dict)
    acts: dict[Key, list[Manual]] = field(default_factory=dict)
    told: dict[Key, int] = field(default_factory=dict)
    """How many changes of each key were told."""

    def accuse(self, key: Key, accused: Accused) -> None:
        self.accused.setdefault(key, []).append(accused)

    def allows(self, key: Key) -> bool:
        return is_listed([self.settings.allow], dict(zip(self.key_names, key, strict=True)))

    def freed(self, known: int | None) -> Iterator[Verdict]:
        """Whom the pipeline allows now is on the list no more, and was accused before only."""
        at = 0 if known is None else known + 1
        for key in filter(self.allows, self.accused):
            self.acts.setdefault(key, []).append(Manual("free", at, at))
            self.accused[key] = [
                replace(each, last=min(each.last, at - 1), free=min(each.free, at))
                for each in self.accused[key]
                if each.first < at
            ]
        yield from self.news(at - 1)

    def news(self, known: int, *, final: bool = False) -> Iterator[Verdict]:
        """The changes that weren't told yet, of all keys, up to an instant."""
        for key in sorted({**self.accused, **self.acts}, key=repr):
            changes = Story(self, key, known, final=final).changes
            yield from changes[self.told.get(key, 0) :]
            self.told[key] = len(changes)

    def live(self, key: Key, at: int) -> bool:
        """Whether the key was listed at an instant that is known."""
        story = Story(self, key, at, final=False, acts_known=at)
        if story.manual is not None:
            return story.manual.act == "ban" and story.manual.at <= at
        return story.listing is not None and story.listing.since <= at < story.listing.until

    def lifted(self, known: int | None) -> Iterator[Verdict]:
        """The list is removed: from the next instant on nobody is on it."""
        if known is None:
            return
        for key in sorted({**self.accused, **self.acts}, key=repr):
            yield from Story(self, key, known, final=False).lifted(known + 1)


class Story:
    """What happened to one key, from the beginning up to an instant.

    At the end of input all firings count, those of windows that end later, too; time passes no
    further than to the greatest event time.
    """

    def __init__(
        self, of: List, key: Key, known: int, *, final: bool, acts_known: int = FOR_EVER
    ) -> None:
        self.of, self.key, self.known, self.final = of, key, known, final
        self.acts = [replace(act) for act in of.acts.get(key, []) if act.at <= acts_known]
        self.manual: Manual | None = None
        self.listing: Listing | None = None
        self.listings: list[int] = []
        self.counted = 0
        self.changes: list[Verdict] = []
        self.accused = of.accused.get(key, [])
        at: int | None = None
        while (following := self._next(at, known, final=final)) is not None:
            at = following
            self._instant(at)
        if final and self.listing is not None and self.listing.free > self.listing.told_free:
            self._extended(max(self.listing.free, known))

    def lifted(self, at: int) -> list[Verdict]:
        """What is told if the list ends."""
        before = len(self.changes)
        if self.manual is not None:
            self._tell_manual("lifted", at, at)
        elif self.listing is not None:
            self._tell("lifted", at, at)
        return self.changes[before:]

    def _next(self, after: int | None, known: int, *, final: bool) -> int | None:
        """The next instant at which something may happen."""
        firsts = [each.first for each in self.accused if final or each.first <= known]
        due: list[int] = []
        if self.manual is not None:
            due.append(self.manual.ends)
        if self.listing is not None:
            due.append(self.listing.until)
            if self.listing.free > self.listing.told_free:
                due.append(self.listing.told_at + self.of.settings.told_every)
        last = max(firsts, default=known)
        due = [each for each in due if each <= known or (final and each <= last)]
        acts = [act.at for act in self.acts]
        return min((x for x in firsts + due + acts if after is None or x > after), default=None)

    def _acts(self, at: int) -> None:
        """What people do with the key now; it is before all that happens at this instant."""
        within = 0 if self.of.settings.repeat is None else int(self.of.settings.repeat.within)
        for act in [act for act in self.acts if act.at == at]:
            idle = self.manual is None and self.listing is None
            if idle and self.listings and self.listings[-1] + within <= at - 1:
                self.counted = 0
            if act.act == "free":
                if self.listing is not None:
                    self._tell("lifted", at, at)
                self.listing = None
                continue
            self.listing = None
            if act.act == "undo":
                assert self.manual is not None
                self.manual = replace(act, number=self.manual.number)
                self._tell_manual("lifted", at, at)
                self.manual = None
            else:
                self.manual = act
                self._tell_manual(STATES[act.act], at, act.until)
        self.acts = [act for act in self.acts if act.at != at]

    def _instant(self, at: int) -> None:
        self._acts(at)
        if at > self.known and not self.final:
            return
        if self.manual is not None and at >= self.manual.ends:
            self._tell_manual("expired", at, at)
            self.manual = None
        if self.manual is None:
            self._by_rules(at)

    def _by_rules(self, at: int) -> None:
        refresh = self.of.settings.refresh
        begun = [each for each in self.accused if each.first == at]
        holding = [each for each in self.accused if each.first <= at <= each.last]
        if self.listing is not None and at >= self.listing.until and (not refresh or not begun):
            self._ends(at)
        if self.listing is None:
            if not holding:
                return
            self._begins(at)
        assert self.listing is not None
        fresh = at == self.listing.since
        for each in sorted(holding if fresh else begun, key=_order):
            if fresh or each.firing:
                self._counts(each, at)
        if refresh:
            counted = holding if fresh else begun
            self.listing.free = max([self.listing.free, *(each.free for each in counted)])
        if fresh:
            self._tell("listed", at, at + self.listing.lasts)
        elif (
            self.listing.told_free < min(at, self.listing.free)
            and at >= self.listing.told_at + self.of.settings.told_every
        ):
            self._extended(at)

    def _begins(self, at: int) -> None:
        settings = self.of.settings
        lasts = int(settings.for_)
        repeat = settings.repeat
        if repeat is not None:
            self.listings = [x for x in self.listings if x > at - int(repeat.within)] + [at]
            durations = [lasts * repeat.factor**number for number, _ in enumerate(self.listings)]
            below = [duration for duration in durations if duration < int(repeat.most)]
            self.counted = min(len(durations), len(below) + 1)
            lasts = min(durations[-1], int(repeat.most))
        else:
            self.listings = [at]
            self.counted = 1
        self.listing = Listing(at, lasts, at, at, at, at, at)

    def _counts(self, each: Accused, at: int) -> None:
        assert self.listing is not None
        self.listing.reasons[each.rule] = self.listing.reasons.get(each.rule, 0) + 1
        self.listing.last_seen = at
        self.listing.measures = each.measures

    def _ends(self, at: int) -> None:
        assert self.listing is not None
        if self.listing.free > self.listing.told_free:
            self._extended(at)
        self._tell("expired", at, self.listing.until)
        self.listing = None

    def _extended(self, at: int) -> None:
        listing = self.listing
        assert listing is not None
        listing.told_at, listing.told_free = at, min(at, listing.free)
        self._tell("extended", at, listing.told_free + listing.lasts)

    def _tell(self, state: str, at: int, until: int) -> None:
        listing = self.listing
        assert listing is not None
        listing.number += 1
        self.changes.append(
            Verdict(
                id=identity.digest("verdict", self.of.pipeline, self.of.name, *self.key),
                list=self.of.name,
                state=state,
                number=listing.number,
                key=dict(zip(self.of.key_names, self.key, strict=True)),
                at=at,
                since=listing.since,
                until=until,
                reasons=dict(listing.reasons),
                count=sum(listing.reasons.values()),
                first_seen=listing.first_seen,
                last_seen=listing.last_seen,
                listings=self.counted,
                measures=dict(listing.measures),
            )
        )

    def _tell_manual(self, state: str, at: int, until: int | None) -> None:
        manual = self.manual
        assert manual is not None
        manual.number += 1
        self.changes.append(
            Verdict(
                id=identity.digest("verdict", self.of.pipeline, self.of.name, *self.key),
                list=self.of.name,
                state=state,
                number=manual.number,
                key=dict(zip(self.of.key_names, self.key, strict=True)),
                at=at,
                since=manual.at,
                until=until,
                reasons={},
                count=0,
                first_seen=None,
                last_seen=None,
                listings=self.counted,
                measures={},
            )
        )


def _order(each: Accused) -> tuple[str, bytes]:
    names = sorted(each.measures)
    return each.rule, identity.encode(*names, *(each.measures[n] for n in names))


@dataclass
class Waiting:
    """An archived event, and the instant at which it is looked up whether its key was listed."""

    judged_at: int
    event: Archived


@dataclass
class Lists:
    """All lists of a pipeline, and the archived events that wait for them."""

    lists: dict[str, List] = field(default_factory=dict)
    changes: list[Verdict] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    archived: list[Archived] = field(default_factory=list)
    known: int | None = None
    config: PipelineConfig | None = None

    def take_up(self, rules: Rules) -> None:
        """The pipeline is another from here on: a list of the same name and key goes on."""
        config = self.config = rules.config
        wanted = {}
        for name, settings in config.verdicts.items():
            first = next(rule for rule in rules.windows if rule.name == settings.from_[0])
            names = (settings.key,) if settings.key else tuple(name for name, _ in first.keys)
            before = self.lists.get(name)
            if before is None or before.key_names != names:
                wanted[name] = List(name, config.name, settings, names)
            else:
                before.settings = settings
                wanted[name] = before
                self.changes.extend(before.freed(self.known))
        for name, gone in self.lists.items():
            if wanted.get(name) is not gone:
                self.changes.extend(gone.lifted(self.known))
        self.lists = wanted

    def accuse(self, rule: WindowRule, key: Key, accused: Accused) -> None:
        """A rule's condition held for a key of the rule."""
        values = {name: value for (name, _), value in zip(rule.keys, key, strict=True)}
        for each in self.lists.values():
            if rule.name in each.settings.from_:
                key = tuple(values[name] for name in each.key_names)
                if not each.allows(key):
                    each.accuse(key, accused)

    def act(self, step: Step) -> None:
        """A person does something; it holds from the first instant that isn't known."""
        of = self.lists[step.list]
        fields = [text.partition("=") for text in step.key]
        values = {name: value for name, equals, value in fields if equals}
        key = tuple(values.get(name, step.key[0]) for name in of.key_names)
        at = 0 if self.known is None else self.known + 1
        until = None if step.lasts is None else at + step.lasts
        of.acts.setdefault(key, []).append(Manual(step.act, at, until))
        self.changes.extend(of.news(at - 1))

    def archive(self, event: Archived, judged_at: int) -> None:
        """An event for an archive; it waits if there are verdicts in it."""
        archive = self.config.archive if self.config else None
        if archive is not None and archive.verdicts:
            self.waiting.append(Waiting(judged_at, event))

    def known_until(self, known: int | None, *, final: bool) -> None:
        """All rules have come so far; at the end of input to the greatest event time."""
        if known is None:
            return
        self.known = known
        for each in self.lists.values():
            self.changes.extend(each.news(known, final=final))
        for one in self.waiting:
            if final or one.judged_at <= known:
                self.archived.append(self._marked(one))
        self.waiting = [] if final else [x for x in self.waiting if x.judged_at > known]

    def _marked(self, one: Waiting) -> Archived:
        archive = self.config.archive if self.config else None
        fields = dict(one.event.fields)
        for name, of in archive.verdicts.items() if archive else ():
            key = tuple(fields[part] for part in self.lists[of].key_names)
            fields[name] = self.lists[of].live(key, one.judged_at)
        return replace(one.event, fields=fields)
