"""Two rule sets over the same events."""

from __future__ import annotations

from tests.unit.backtest.data import PIPELINE, history, plan

from tailrace.backtest.comparing import Difference, compare


def against(text: str) -> Difference:
    return compare(history(), history(plan(text)))


def test_the_same_rules() -> None:
    found = against(PIPELINE)
    assert [(each.fields, each.both, each.only_here, each.only_there) for each in found.keys] == [
        (("client_ip",), 2, (), ()),
    ]
    assert (found.equal, found.changed, found.only_here, found.only_there) == (2, (), (), ())


def test_a_lower_threshold_accuses_more() -> None:
    found = against(PIPELINE.replace("> 5", "> 4"))
    assert found.keys[0].only_there == (("192.0.2.9",),)
    assert [incident.key["client_ip"] for incident in found.only_there] == ["192.0.2.9"]
    assert (found.equal, found.only_here) == (2, ())


def test_a_higher_threshold_accuses_less() -> None:
    found = against(PIPELINE.replace("> 5", "> 15"))
    assert found.keys[0].only_here == (("192.0.2.1",),)
    assert found.equal == 1


def test_other_times() -> None:
    found = against(PIPELINE.replace("count(*) > 5", "count(*) > 5\n    for: 20s"))
    assert found.equal == 0
    assert [(here.opened_at < there.opened_at) for here, there in found.changed] == [True, True]


def test_rules_of_other_names_are_held_against_each_other_by_key() -> None:
    found = against(PIPELINE.replace("flood", "rush"))
    assert (found.equal, found.only_here, found.only_there) == (2, (), ())


def test_rules_with_other_keys() -> None:
    found = against(PIPELINE.replace("by: client_ip", "by: status").replace("{client_ip} made", ""))
    assert [each.fields for each in found.keys] == [("client_ip",), ("status",)]
    assert len(found.only_here) == 2
