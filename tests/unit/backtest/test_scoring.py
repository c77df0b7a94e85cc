"""Scores against counts made by hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.backtest.data import NOON, PIPELINE, SECOND, TRUTH, history, line, plan

from tailrace import TailraceError
from tailrace.backtest.scores import Score
from tailrace.backtest.scoring import Judge
from tailrace.backtest.truth import Truth, read_truth


def truth(folder: Path, text: str = TRUTH) -> Truth:
    (folder / "truth").write_text(text)
    return read_truth(folder / "truth")


def score(folder: Path, text: str = TRUTH, pipeline: str = PIPELINE) -> Score:
    found = history(plan(pipeline))
    given = Judge(truth(folder, text), found).score(found.rules[:1])
    assert given is not None
    return given


def test_the_data_by_hand(tmp_path: Path) -> None:
    """Two of three found; 192.0.2.9 makes five in ten seconds, which isn't more than five."""
    found = score(tmp_path)
    assert (found.accused, found.accused_rightly, found.guilty) == (2, 2, 3)
    assert (found.precision, found.recall, found.f1) == (1.0, 2 / 3, 0.8)
    assert (found.episodes, found.episodes_found) == (3, 2)
    # 192.0.2.9 and 20 others; 192.0.2.3 isn't in the data.
    assert (found.ordinary, found.ordinary_accused, found.ordinary_share) == (21, 0, 0.0)
    # Both are told at the end of the first window: ten seconds after the start.
    assert (found.detect_median, found.detect_p90) == (10 * SECOND, 10 * SECOND)


def test_a_lower_threshold_accuses_others(tmp_path: Path) -> None:
    found = score(tmp_path, pipeline=PIPELINE.replace("> 5", "> 4"))
    assert (found.precision, found.recall) == (2 / 3, 2 / 3)
    assert (found.ordinary_accused, found.ordinary_share) == (1, 1 / 21)
    assert (found.incidents, found.incidents_rightly) == (3, 2)


ELSEWHEN = "client_ip,start,end\n192.0.2.1,2024-05-01T13:00:00Z,2024-05-01T13:01:00Z\n"


def test_the_right_key_at_another_time(tmp_path: Path) -> None:
    found = score(tmp_path, ELSEWHEN)
    assert (found.accused_rightly, found.episodes_found, found.incidents_rightly) == (1, 0, 0)
    assert found.precision_by_incident == 0.0
    assert found.detect_median is None


def test_without_times_an_episode_begins_with_the_keys_first_event(tmp_path: Path) -> None:
    found = score(tmp_path, "client_ip\n192.0.2.2\n")
    assert (found.episodes_found, found.detect_median) == (1, 10 * SECOND)


def test_nothing_to_divide_by(tmp_path: Path) -> None:
    found = score(tmp_path, "client_ip\n10.0.0.1\n", PIPELINE.replace("> 5", "> 500"))
    assert (found.precision, found.recall, found.f1) == (None, 0.0, 0.0)
    assert found.precision_by_incident is None


def test_keys_of_no_named_field_are_those_of_the_only_key(tmp_path: Path) -> None:
    with pytest.raises(TailraceError, match="doesn't say of which field") as caught:
        score(
            tmp_path,
            "key\n192.0.2.1\n",
            PIPELINE.replace("{client: client_ip, code: status}", "status"),
        )
    assert "client_ip, status" in str(caught.value.problems[0].hint)
    found = score(tmp_path, "key\n192.0.2.1\n")
    assert (found.guilty, found.accused_rightly) == (1, 1)


def test_a_truth_about_no_rules_key(tmp_path: Path) -> None:
    with pytest.raises(TailraceError, match="the truth is about host, and no rule") as caught:
        score(tmp_path, "host\na\n")
    assert "client_ip" in str(caught.value.problems[0].hint)


def test_a_truth_about_one_field_of_a_key_of_two(tmp_path: Path) -> None:
    lines = [line(at / 10, "192.0.2.1", 500 + at % 2) for at in range(20)]
    found = history(records=lines)
    judge = Judge(truth(tmp_path, "client,start\n192.0.2.1,2024-05-01T12:00:00Z\n"), found)
    rules = {rule.name: rule for rule in found.rules}
    given = judge.score([rules["errors"]])
    assert given is not None
    # Two keys, 500 and 501, of one client.
    assert (given.incidents, given.accused, given.accused_rightly) == (2, 1, 1)
    assert judge.score([rules["flood"]]) is None
    assert judge.score([rules["teapot"]]) is None


def test_what_became_of_each_episode(tmp_path: Path) -> None:
    found = history()
    outcomes = Judge(truth(tmp_path), found).outcomes(found.rules)
    told = [(each.episode.subject[0][1], each.rule, each.after) for each in outcomes]
    assert told == [
        ("192.0.2.1", "flood", 10 * SECOND),
        ("192.0.2.2", "flood", 10 * SECOND),
        ("192.0.2.3", None, None),
    ]
    assert outcomes[0].episode.start == NOON * SECOND


WINDOWS = """\
{"start": "2024-05-01T12:00:00Z", "end": "2024-05-01T12:01:00Z", "bytes": 9, "state": "over"}
{"start": "2024-05-01T12:01:00Z", "end": "2024-05-01T12:02:00Z", "bytes": 5, "state": "within"}
{"start": "2024-05-01T12:05:00Z", "end": "2024-05-01T12:06:00Z", "bytes": 9, "state": "over"}
{"start": "2024-05-01T12:08:00Z", "end": "2024-05-01T12:09:00Z", "bytes": 0, "state": "below"}
"""


def test_windows_of_all_together(tmp_path: Path) -> None:
    """By incident and by episode, since there is no key to count."""
    text = PIPELINE.replace("    by: client_ip\n    window: 10s", "    window: 1m").replace(
        "{client_ip} made", ""
    )
    found = score(tmp_path, WINDOWS, text.replace("> 5", "> 20"))
    assert (found.incidents, found.incidents_rightly) == (2, 2)
    assert (found.precision, found.recall) == (1.0, 2 / 3)
    assert found.f1 == pytest.approx(0.8)
    assert (found.ordinary_share, found.detect_median) == (None, 60 * SECOND)
    # The minute after an episode is not in it.
    assert (
        score(tmp_path, WINDOWS.splitlines()[0], text.replace("> 5", "< 5")).incidents_rightly == 0
    )


KINDS = (
    TRUTH.replace("start,end", "start,end,kind")
    .replace("Z\n", "Z,rush\n")
    .replace("12:06:00Z,rush", "12:06:00Z,flood")
)


def test_a_rule_that_is_to_find_one_kind(tmp_path: Path) -> None:
    found = history()
    judge = Judge(truth(tmp_path, KINDS), found, {"flood": frozenset({"flood"})})
    given = judge.score(found.rules[:1])
    assert given is not None
    # 192.0.2.1 did something else wrong: not rightly accused, but no ordinary key.
    assert (given.accused, given.accused_rightly, given.guilty) == (2, 1, 1)
    assert (given.precision, given.recall, given.ordinary_accused) == (0.5, 1.0, 0)
    told = {o.episode.subject[0][1]: o.rule for o in judge.outcomes(found.rules)}
    assert told == {"192.0.2.1": None, "192.0.2.2": "flood", "192.0.2.3": None}


@pytest.mark.parametrize(
    ("rule", "kind", "message"),
    [("flod", "flood", "no rule 'flod' alerts"), ("flood", "storm", "of the kind 'storm'")],
)
def test_kinds_and_rules_that_are_not_there(
    tmp_path: Path, rule: str, kind: str, message: str
) -> None:
    with pytest.raises(TailraceError, match=message):
        Judge(truth(tmp_path, KINDS), history(), {rule: frozenset({kind})})
