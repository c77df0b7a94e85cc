"""How well rules found what is known to have happened.

A rule answers for the truth about its own key: episodes of which all fields are in its key.
What is counted is said in ``scores``.

An incident is in an episode if it is about the same key and the time from its first window's start
to its last window's end touches the episode's. What has no start or end is without bounds there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from tailrace.backtest.scores import Score
from tailrace.backtest.truth import ANY
from tailrace.errors import TailraceError
from tailrace.kernel.time import FOREVER, NEVER
from tailrace.plan.identity import Time
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from tailrace.backtest.history import History, Incident, Population, RuleHistory
    from tailrace.backtest.truth import Episode, Subject, Truth
    from tailrace.plan.identity import Scalar


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one episode went: the rule that found it first, how long after its start; or None."""

    episode: Episode
    rule: str | None
    after: int | None


Finds = Mapping[str, frozenset[str]]
"""Kinds of episodes by the name of the rule that is to find them."""


class Judge:
    """Holds a truth against what rules found in one run."""

    def __init__(self, truth: Truth, history: History, finds: Finds | None = None) -> None:
        """``finds``: the kinds of episodes that a rule is to find; other rules are to find all.

        TailraceError if the truth is about no rule's key, or ``finds`` names what isn't there.
        """
        self._truth = _settled(truth, history.rules)
        self._finds = _known_finds(finds or {}, self._truth, history.rules)
        self._populations = history.populations
        self._known: dict[str, Mapping[Subject, list[tuple[int, Episode]]]] = {}
        self._guilty = frozenset(episode.subject for episode in self._truth.episodes)

    def score(self, rules: Sequence[RuleHistory]) -> Score | None:
        """The score of some rules together; None if the truth says nothing of their keys."""
        relevant = {fields for fields in self._truth.fields for r in rules if _answers(r, fields)}
        if not relevant:
            return None
        episodes: dict[int, Episode] = {}
        found: dict[int, int] = {}
        accused: set[Subject] = set()
        accused_rightly: set[Subject] = set()
        incidents = incidents_rightly = 0
        for rule in rules:
            answered = [fields for fields in relevant if _answers(rule, fields)]
            by_subject = self._meant(rule)
            episodes |= {number: each for known in by_subject.values() for number, each in known}
            for incident in rule.incidents if answered else ():
                incidents += 1
                hits: list[int] = []
                for fields in answered:
                    subject = _of(incident, fields)
                    known = by_subject.get(subject, [])
                    accused.add(subject)
                    accused_rightly |= {subject} if known else set()
                    hits += [number for number, each in known if _touches(incident, each)]
                for number in hits:
                    found[number] = min(incident.opened_at, found.get(number, incident.opened_at))
                incidents_rightly += bool(hits)
        delays = sorted(self._delay(episodes[number], at) for number, at in found.items())
        return Score(
            accused=len(accused),
            accused_rightly=len(accused_rightly),
            guilty=len({episode.subject for episode in episodes.values()}),
            incidents=incidents,
            incidents_rightly=incidents_rightly,
            episodes=len(episodes),
            episodes_found=len(found),
            ordinary=self._ordinary(relevant),
            ordinary_accused=len(accused - self._guilty),
            keyed=any(relevant),
            detect_median=_rank(delays, 0.5),
            detect_p90=_rank(delays, 0.9),
        )

    def guilty(self, key: Mapping[str, str]) -> bool | None:
        """Whether a key did wrong; None if the truth says nothing of its fields."""
        known = [fields for fields in self._truth.fields if set(fields) <= key.keys()]
        if not known:
            return None
        return any(tuple((name, key[name]) for name in fields) in self._guilty for fields in known)

    def outcomes(self, rules: Sequence[RuleHistory]) -> list[Outcome]:
        """What became of each episode, by time."""
        first: dict[int, tuple[int, str]] = {}
        for rule in rules:
            by_subject = self._meant(rule)
            for fields in {_fields(subject) for subject in by_subject}:
                for incident in rule.incidents:
                    for number, episode in by_subject.get(_of(incident, fields), ()):
                        if _touches(incident, episode):
                            hit = (incident.opened_at, rule.name)
                            first[number] = min(hit, first.get(number, hit))
        result = []
        for number, episode in enumerate(self._truth.episodes):
            at, name = first.get(number, (None, None))
            after = None if at is None else self._delay(episode, at)
            result.append(Outcome(episode, name, after))
        return sorted(result, key=lambda each: (each.episode.start or NEVER, each.episode.subject))

    def _meant(self, rule: RuleHistory) -> Mapping[Subject, list[tuple[int, Episode]]]:
        """The episodes that a rule is to find, with their numbers, by subject."""
        if rule.of in self._known:
            return self._known[rule.of]
        kinds = self._finds.get(rule.of)
        meant: dict[Subject, list[tuple[int, Episode]]] = {}
        for number, episode in enumerate(self._truth.episodes):
            wanted = kinds is None or episode.kind in kinds
            if wanted and _answers(rule, _fields(episode.subject)):
                meant.setdefault(episode.subject, []).append((number, episode))
        self._known[rule.of] = meant
        return meant

    def _delay(self, episode: Episode, at: int) -> int:
        start = episode.start
        if start is None:
            firsts = [
                self._populations[name].first.get(value)
                for name, value in episode.subject
                if name in self._populations
            ]
            start = max((first for first in firsts if first is not None), default=at)
        return max(0, at - start)

    def _ordinary(self, relevant: Iterable[tuple[str, ...]]) -> int | None:
        """How many keys there are that did nothing wrong, as far as that is known."""
        if not any(relevant):
            return None
        total = 0
        for fields in filter(None, relevant):
            listed = sum(_fields(subject) == fields for subject in self._truth.ordinary)
            population = _population(fields, self._populations)
            if population is None and not listed:
                return None
            wrong = {subject[0][1] for subject in self._guilty if _fields(subject) == fields}
            if population is None:
                total += listed
            else:
                total += len(population.first.keys() - wrong)
        return total


def _settled(truth: Truth, rules: Sequence[RuleHistory]) -> Truth:
    """The truth with every key's field named, as rules name it."""
    with_keys = [rule for rule in rules if rule.keys]
    single = {rule.keys[0] for rule in with_keys if len(rule.keys) == 1}
    known = ", ".join(dict.fromkeys(", ".join(rule.keys) for rule in with_keys)) or "none"
    if any(fields == (ANY,) for fields in truth.fields):
        if len(single) != 1:
            raise TailraceError(
                "the truth doesn't say of which field its keys are values, and rules have several",
                hint=f"name the column as the key is named, instead of key: {known}",
            )
        truth = truth.named(next(iter(single)))
    if not any(_answers(rule, fields) for rule in rules for fields in truth.fields):
        said = "; ".join(", ".join(fields) or "all together" for fields in truth.fields)
        raise TailraceError(
            f"the truth is about {said}, and no rule that alerts has that in its key",
            hint=f"keys of the rules: {known}",
        )
    return truth


def _known_finds(finds: Finds, truth: Truth, rules: Sequence[RuleHistory]) -> Finds:
    names = [rule.name for rule in rules]
    kinds = list(dict.fromkeys(episode.kind for episode in truth.episodes))
    for name, wanted in finds.items():
        if name not in names:
            raise TailraceError(f"--finds: no rule {name!r} alerts", hint=", ".join(names))
        for kind in sorted(wanted.difference(kinds)):
            known = ", ".join(kind or "(none)" for kind in kinds)
            raise TailraceError(
                f"--finds {name}: no episode is of the kind {kind!r}", hint=f"kinds: {known}"
            )
    return finds


def _answers(rule: RuleHistory, fields: tuple[str, ...]) -> bool:
    if rule.judges_events:
        return False
    return set(fields) <= set(rule.keys) if fields else not rule.keys


def _fields(subject: Subject) -> tuple[str, ...]:
    return tuple(name for name, _ in subject)


def _of(incident: Incident, fields: tuple[str, ...]) -> Subject:
    return tuple((name, text(incident.key[name])) for name in fields)


def text(value: Scalar) -> str:
    """The value of a key field as a truth file writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Time):
        return iso(value)
    return str(value)


def _touches(incident: Incident, episode: Episode) -> bool:
    start = NEVER if episode.start is None else episode.start
    end = FOREVER if episode.end is None else episode.end
    # A window's end is no instant of it; what has no length is one.
    return incident.begun_at < end and max(incident.last_firing_at, incident.begun_at + 1) > start


def _population(
    fields: tuple[str, ...], populations: Mapping[str, Population]
) -> Population | None:
    return populations.get(fields[0]) if len(fields) == 1 else None


def _rank(ordered: Sequence[int], rank: float) -> int | None:
    """The nearest rank."""
    return ordered[max(1, ceil(rank * len(ordered))) - 1] if ordered else None
