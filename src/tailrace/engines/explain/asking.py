"""The whole way from a question to its answer: from kept state, else from the source."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.alerts.incidents import json_values
from tailrace.engines.explain.again import read_again
from tailrace.engines.explain.answers import Explanation
from tailrace.engines.explain.kept import kept_from, kept_retain, kept_state, load_key
from tailrace.engines.explain.questions import read_key, read_time, window_rule
from tailrace.engines.explain.references import VersionsThen
from tailrace.engines.explain.windows import see_window
from tailrace.errors import TailraceError
from tailrace.kernel.time import window_starts
from tailrace.outputs.rows import dumps
from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tailrace.engines.explain.answers import WindowSeen
    from tailrace.engines.explain.kept import Ask
    from tailrace.engines.state import EngineState
    from tailrace.kernel.reducer import GroupReducer
    from tailrace.plan.identity import Scalar
    from tailrace.plan.model import Plan, Rule
    from tailrace.sources.types import Source

KEPT = "kept state"
READ = "the source, read again"


def explain_window(
    plan: Plan,
    name: str,
    key_text: str | None,
    time_text: str,
    *,
    window: str | None = None,
    ask: Ask | None = None,
    source: Source | None = None,
) -> Explanation:
    """What the windows of a rule that contain an instant held of a key, and how they were judged.

    ``ask`` asks the pipeline's store, None if there is none. What it no longer keeps is read from
    the pipeline's source (or ``source``) again. ``window``: the start of the one shown in detail.
    TailraceError if the question is wrong or nothing can answer it.
    """
    rule = window_rule(plan, name)
    if rule.by_event:
        raise TailraceError(
            f"{name} sees events in order: what its windows held can't be taken apart",
            hint="its incidents and rows carry what they come of; `tailrace query` shows incidents",
        )
    key = read_key(rule, key_text)
    time = read_time(time_text)
    size, every = rule.window.size, rule.window.every
    starts = window_starts(time, size, every)
    chosen = None if window is None else read_time(window)
    if chosen is not None and chosen not in starts:
        known = f"{iso(starts[0])} to {iso(starts[-1])}, one every {every / 1e6:g} s"
        raise TailraceError(f"no window of {name} with {iso(time)} starts there", hint=known)
    low, high = starts[0], starts[-1] + size
    state = kept_state(ask) if ask is not None else None
    versions = VersionsThen(plan, ask if state is not None else None)
    question = _Question(plan, rule, key, time, starts, chosen, versions)
    if ask is not None and state is not None and rule.identity in state.rules:
        if kept_from(rule, plan.bounds, state, kept_retain(ask)) <= low:
            reducer = load_key(ask, rule, plan.bounds, state, key, low=low, high=high)
            return question.answer(reducer, state, KEPT, _notes(question, state, ask))
        notes = _notes(question, state, ask)
    else:
        notes = []
    with read_again(plan, rule, key, high, versions, source) as read:
        mine = read.session.state
        store_ask = read.session.store.query
        reducer = load_key(store_ask, read.rule, plan.bounds, mine, key, low=low, high=high)
        if read.earliest is None or read.earliest >= high:
            begin = "has no events" if read.earliest is None else f"begins at {iso(read.earliest)}"
            raise TailraceError(
                f"the source, as it is now, {begin}: what the window held can't be found",
                hint="its files were rotated away? explain.retain keeps what windows held",
            )
        if read.earliest > low:
            notes.append(
                f"the source, as it is now, begins at {iso(read.earliest)}: what came before is not"
                " in these windows"
            )
        late = mine.counts.rules[rule.identity].late
        if late:
            notes.append(f"{late} events of this key came late, up to there, and count nowhere")
        return question.answer(reducer, _merged(mine, state, rule), READ, notes)


class _Question:
    """A question that was understood."""

    def __init__(
        self,
        plan: Plan,
        rule: Rule,
        key: tuple[Scalar, ...],
        time: int,
        starts: list[int],
        chosen: int | None,
        versions: VersionsThen,
    ) -> None:
        self.plan, self.rule, self.time, self.starts = plan, rule, time, starts
        self.key = dict(zip((part.name for part in rule.keys), key, strict=True))
        self._chosen, self._versions = chosen, versions

    def answer(
        self, reducer: GroupReducer, state: EngineState, basis: str, notes: list[str]
    ) -> Explanation:
        size = self.rule.window.size
        begun = state.rules[self.rule.identity].start
        seen = []
        for start in self.starts:
            end = start + size
            self._versions.use(self.rule, reducer, end)
            closed = state.finished or end <= state.frontier
            seen.append(see_window(reducer, self.rule, start, closed=closed, begun=start >= begun))
        return Explanation(
            self.rule.name,
            self.key,
            self.time,
            basis,
            self.rule.when_text,
            tuple(seen),
            self._choice(seen),
            (*self._versions.notes, *notes),
        )

    def _choice(self, seen: Sequence[WindowSeen]) -> WindowSeen:
        """The one that was asked for, else the first that fired, else the fullest."""
        if self._chosen is not None:
            return next(window for window in seen if window.start == self._chosen)
        fired = [window for window in seen if window.outcome == "fired"]
        return fired[0] if fired else max(seen, key=lambda window: window.events)


def _merged(read: EngineState, kept: EngineState | None, rule: Rule) -> EngineState:
    """The state that was read, with the start that the rule had where it really ran."""
    if kept is not None and rule.identity in kept.rules:
        read.rules[rule.identity].start = kept.rules[rule.identity].start
    return read


def _notes(question: _Question, state: EngineState, ask: Ask) -> list[str]:
    """What a store knows besides: late events, and the incidents of this key."""
    notes = []
    counts = state.counts.rules.get(question.rule.identity)
    if counts is not None and counts.late:
        notes.append(f"{counts.late} events came late for {question.rule.name}, over all keys")
    if counts is not None and counts.evicted:
        notes.append(
            f"{counts.evicted} events of {question.rule.name} were evicted (limits.max_keys)"
        )
    if question.rule.alert:
        notes += _incidents(question, ask)
    return notes


def _incidents(question: _Question, ask: Ask) -> list[str]:
    rule = question.rule
    low, high = question.starts[0], question.starts[-1] + rule.window.size
    key = dumps(json_values(question.key)).replace("'", "''")
    table = ask(
        "select fingerprint, state, reason, epoch_us(started_at) as started,"
        " epoch_us(opened_at) as opened, epoch_us(last_firing_at) as last from incidents"
        f" where rule = '{rule.name}' and key = '{key}' and epoch_us(started_at) <= {high}"
        f" and epoch_us(last_firing_at) > {low} order by opened_at"
    )
    return [
        f"incident {row['fingerprint']}: {row['state']} ({row['reason']}), pending since"
        f" {iso(row['started'])}, opened {iso(row['opened'])}, last firing {iso(row['last'])}"
        for row in table.to_pylist()
    ]
