"""How far the lists of verdicts have come: it never goes back."""

from tailrace.config import loads
from tailrace.engines.concluding import first_rules
from tailrace.engines.state import EngineState
from tailrace.engines.verdicts import Verdicts
from tailrace.plan.compile import compile_pipeline

TEXT = """
name: p
source: {file: {path: in.ndjson}}
time: {field: t}
fields: {a: text}
rules:
  - {alert: counted, by: a, window: 1s, when: count(*) > 1}
  - {alert: ordered, by: a, window: 10s sliding, when: count(*) > 1}
verdicts:
  bots: {from: [RULES], for: 1m}
"""
REACHED = 109_000_000


def lists(state: EngineState, rules: str) -> Verdicts:
    plan = compile_pipeline(loads(TEXT.replace("RULES", rules), "p.yaml"))
    first_rules(plan, state)
    return Verdicts(plan, state)


def test_a_rule_that_lags_behind_is_taken_up() -> None:
    state = EngineState(frontier=REACHED)
    before = lists(state, "counted")
    list(before.tell([], REACHED, final=False))
    assert before.horizon(REACHED) == REACHED
    after = lists(EngineState.from_json(state.to_json()), "counted, ordered")
    assert after.horizon(REACHED) == REACHED
    # Without that state the rule is only known to have come to the start of its pane.
    assert lists(EngineState(frontier=REACHED), "counted, ordered").horizon(REACHED) < REACHED
