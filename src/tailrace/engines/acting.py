"""What a person does with a key of a list of verdicts: checked, and made into a commit.

``tailrace verdicts`` asks for it; the engine does it between two epochs, or the command does it on
the store when nothing runs. It is a decision: whatever runs again finds it done.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

from tailrace.alerts.verdicts import FOREVER, Act, ManualAct
from tailrace.engines.concluding import Result
from tailrace.engines.dispatch import Dispatch, verdict_table
from tailrace.engines.epoch import DecisionKind
from tailrace.engines.state import EngineState
from tailrace.engines.verdicts import Verdicts, key_of
from tailrace.errors import StoreError, TailraceError
from tailrace.kernel.time import NEVER
from tailrace.plan.compile import compile_text
from tailrace.store.commit import Commit
from tailrace.store.reading import open_reader
from tailrace.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tailrace.plan.identity import Key
    from tailrace.plan.model import Plan
    from tailrace.plan.verdicts import VerdictList

MOST_COMMENT = 1000
"""Characters of a reason."""


class ActError(TailraceError):
    """The act can't be done: another list, key or duration is needed."""


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for; ``key``: a value, or ``field=value`` for each field of the list's key.

    ``lasts``: microseconds of event time, None for no end.
    """

    act: Act
    list: str
    key: tuple[str, ...]
    lasts: int | None = None
    comment: str = ""

    def to_json(self) -> dict[str, object]:
        """As it travels."""
        return {
            "act": self.act.value,
            "list": self.list,
            "key": list(self.key),
            "lasts": self.lasts,
            "comment": self.comment,
        }

    @classmethod
    def from_json(cls, body: Mapping[str, object]) -> Request:
        """Read what ``to_json`` wrote; ActError for anything else."""
        lasts, key = body.get("lasts"), body.get("key")
        try:
            act = Act(str(body.get("act")))
        except ValueError as error:
            raise ActError(f"{body.get('act')!r} can't be done to a key") from error
        if not isinstance(key, list) or not (lasts is None or isinstance(lasts, int)):
            raise ActError("the request has no key, or a wrong duration")
        return cls(
            act,
            str(body.get("list")),
            tuple(str(part) for part in cast("list[object]", key)),
            lasts,
            str(body.get("comment", ""))[:MOST_COMMENT],
        )


def wanted_list(lists: Sequence[VerdictList], name: str) -> VerdictList:
    """The list of that name; ActError, naming those there are."""
    for one in lists:
        if one.name == name:
            return one
    have = ", ".join(one.name for one in lists)
    hint = f"there are: {have}" if have else "the pipeline has no 'verdicts'"
    raise ActError(f"there is no list of verdicts {name!r}", hint=hint)


def wanted_key(wanted: VerdictList, parts: Sequence[str]) -> Key:
    """The key that was written; ActError if it isn't one of the list."""
    names = [name for name, _ in wanted.keys]
    hint = "write " + " ".join(f"{name}=..." for name in names)
    texts: dict[str, str] = {}
    for part in parts:
        name, equals, text = part.partition("=")
        if not equals or name not in names:
            name, text = names[0], part
            if len(names) > 1 or len(parts) > 1:
                raise ActError(f"{part!r} is none of the key's fields", hint=hint)
        texts[name] = text
    missing = [name for name in names if name not in texts]
    if missing:
        raise ActError(f"the key has {', '.join(missing)}, too", hint=hint)
    try:
        return key_of(wanted, texts)
    except ValueError as error:
        kinds = ", ".join(f"{name} is {kind}" for name, kind in wanted.keys)
        raise ActError(f"that is no key of {wanted.name!r}: {error}", hint=kinds) from error


def perform(plan: Plan, state: EngineState, verdicts: Verdicts, request: Request) -> Result:
    """Do it: the lists and the state change, and the commit says so; ActError if it can't be."""
    wanted = wanted_list(plan.verdicts, request.list)
    key = wanted_key(wanted, request.key)
    case = verdicts.folds[wanted.name].cases.get(key)
    if request.act is Act.UNDO and (case is None or case.manual is None):
        raise ActError(
            f"nobody has banned or allowed {' '.join(request.key)} in {wanted.name!r}",
            hint="to take a key off the list that rules have put there: tailrace verdicts allow",
        )
    if request.lasts is not None and state.frontier == NEVER:
        raise ActError(
            "no event was read yet, so event time, in which --for is counted, has not begun",
            hint="leave --for out, or ask again when events have come",
        )
    at = verdicts.now
    until = FOREVER if request.lasts is None else at + request.lasts
    told = verdicts.act(wanted.name, key, ManualAct(request.act, at, until, request.comment))
    dispatch = Dispatch(plan, state.next_seq)
    dispatch.verdicts(wanted, told.changes)
    outbox, tables = dispatch.batches()
    state.next_seq += len(outbox)
    state.epoch += 1
    commit = Commit(
        epoch=state.epoch,
        state=state.to_json(),
        folds=told.folds,
        verdicts=verdict_table(told.changes),
        outbox=outbox,
        tables=tables,
        decisions=((DecisionKind.MANUAL.value, {"at": at, **request.to_json()}),),
    )
    return Result(commit, verdicts=list(told.changes))


def act_on_store(path: Path, request: Request) -> Result:
    """Do it on a store that no process uses; StoreError, PipelineError or ActError if it can't be.

    Outputs hear of it from the next run.
    """
    reader = open_reader(path)
    try:
        name = reader.meta()["pipeline"]
    finally:
        reader.close()
    store = Store.open(path, name)
    try:
        text, body = store.pipeline(), store.last_state()
        if text is None or body is None:
            raise StoreError(f"{path} has seen no run yet", hint="run the pipeline first")
        if store.unfinished_plan() is not None:
            raise StoreError(
                f"{path}: the last run was killed within an epoch, which has to be finished first",
                hint="run the pipeline and ask while it runs, or after it",
            )
        plan, state = compile_text(text), EngineState.from_json(body)
        verdicts = Verdicts(plan, state)
        for each in plan.verdicts:
            verdicts.load(each, store.folds(each.identity))
        result = perform(plan, state, verdicts, request)
        store.commit(result.commit)
    finally:
        store.close()
    return result
