"""What is known to have happened, in the forms that files have it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tailrace import TailraceError
from tailrace.backtest.truth import ANY, Episode, read_truth
from tailrace.generate.attacks import parse_attack
from tailrace.generate.delivery import Tally, label_lines
from tailrace.generate.nginx import NginxTraffic

NOON = 1_714_564_800_000_000
MINUTE = 60_000_000

# The file, and the episode that is in it: subject, kind, start and end.
FORMS = [
    ("key,start,end\na,1714564800,1714564860\n", ((ANY, "a"),), "", NOON, NOON + MINUTE),
    ("key\na\n", ((ANY, "a"),), "", None, None),
    ("ip,start\na,2024-05-01T12:00:00Z\n", (("ip", "a"),), "", NOON, None),
    ("ip,kind,end\na,flood,2024-05-01 12:01:00\n", (("ip", "a"),), "flood", None, NOON + MINUTE),
    ('ip,start\n"a,b",\n', (("ip", "a,b"),), "", None, None),
    ("key,field\na,ip\n", (("ip", "a"),), "", None, None),
    ("ip,is_bot\na,true\nb,false\n", (("ip", "a"),), "", None, None),
    ('{"ip": "a", "is_bot": true}\n{"ip": "b", "is_bot": false}', (("ip", "a"),), "", None, None),
    ('{"key": {"ip": "a", "code": 7}}', (("code", "7"), ("ip", "a")), "", None, None),
    ('\n{"key": "a", "start": 1714564800.5}', ((ANY, "a"),), "", NOON + 500_000, None),
    ('{"key": "a", "start": "2024-05-01T14:00:00+02:00"}', ((ANY, "a"),), "", NOON, None),
    ('{"ip": "a", "bad": true, "kind": "x"}', (("ip", "a"),), "x", None, None),
    ('{"key": true}', ((ANY, "true"),), "", None, None),
]


@pytest.mark.parametrize(("text", "subject", "kind", "start", "end"), FORMS)
def test_forms(
    tmp_path: Path,
    text: str,
    subject: tuple[tuple[str, str], ...],
    kind: str,
    start: int | None,
    end: int | None,
) -> None:
    (tmp_path / "truth").write_text(text)
    assert read_truth(tmp_path / "truth").episodes == (Episode(subject, kind, start, end),)


def test_who_is_said_to_be_ordinary(tmp_path: Path) -> None:
    (tmp_path / "truth").write_text("ip,is_bot\na,true\nb,false\na,false\n")
    assert read_truth(tmp_path / "truth").ordinary == {(("ip", "b"),)}


def test_labels_of_generated_traffic(tmp_path: Path) -> None:
    attack = parse_attack("flood@10s+20s:client=192.0.2.7")
    traffic = NginxTraffic(start_us=NOON, duration_us=MINUTE, attacks=(attack,))
    tally = Tally(lines=1, first_us=NOON, last_us=NOON + MINUTE)
    (tmp_path / "labels").write_text("".join(label_lines(traffic.labels(), 0, tally)))
    (episode,) = read_truth(tmp_path / "labels").episodes
    assert episode.subject == (("client_ip", "192.0.2.7"),)
    assert (episode.kind, episode.start, episode.end) == (
        "flood",
        NOON + 10_000_000,
        NOON + 30_000_000,
    )


WRONG = [
    ("", "nobody is said to have done wrong"),
    ("key,start,end\n", "nobody is said to have done wrong"),
    ("ip,is_bot\na,false\n", "nobody is said to have done wrong"),
    ("key,start\na\n", ":2: 1 columns, the header has 2"),
    ("key,start\na,yesterday\n", ":2: start is 'yesterday': neither ISO 8601 nor seconds"),
    ("key,start,end\na,20,10\n", ":2: it ends before it starts"),
    ("a,b\n1,2\n", ":2: 2 columns that could be the key: a, b"),
    ('{"start": 1}', ":1: no key"),
    ('{"key": null}', ":1: None is no value of a key"),
    ('{"key": ["a"]}', r":1: \['a'\] is no value of a key"),
    ('{"key": {}}', ":1: the key is empty"),
    ('{"key": "a", "field": 7}', ":1: field is 7, no name of a field"),
    ('{"key": "a"}\n{"key": \n', ":2: no JSON object"),
    ('{"key": "a"}\n[1]\n', ":2: no JSON object"),
    ('{"ip": "a", "is_bot": true, "bad": false}', "is_bot and bad both say"),
    ('{"key": "a", "start": 1e400}', "start is inf"),
    ('{"key": "a", "start": NaN}', "start is nan"),
]


@pytest.mark.parametrize(("text", "message"), WRONG)
def test_what_is_wrong(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "truth").write_text(text)
    with pytest.raises(TailraceError) as caught:
        read_truth(tmp_path / "truth")
    assert re.search(message, caught.value.render())


def test_files_that_can_not_be_read(tmp_path: Path) -> None:
    with pytest.raises(TailraceError, match="No such file"):
        read_truth(tmp_path / "none")
    (tmp_path / "bytes").write_bytes(b"key\n\xff\n")
    with pytest.raises(TailraceError, match="not UTF-8"):
        read_truth(tmp_path / "bytes")
    (tmp_path / "many").write_text(
        "\n".join(json.dumps({"key": n, "end": 1, "start": f"no {n}"}) for n in range(100))
    )
    with pytest.raises(TailraceError) as caught:
        read_truth(tmp_path / "many")
    assert len(caught.value.problems) == 10


def test_lines_that_are_wrong_alike_are_told_once(tmp_path: Path) -> None:
    """The truth about labels of events, which has no keys: each line has the same mistake."""
    (tmp_path / "truth").write_text(
        '{"line": 1, "status": "good"}\n' * 3 + '{"key": []}\n{"key": "a", "start": "x"}\n'
    )
    with pytest.raises(TailraceError) as caught:
        read_truth(tmp_path / "truth")
    told = caught.value.render()
    assert "truth:1: 2 columns that could be the key: line, status (and so of 2 more lines)" in told
    assert told.count("Hint:") == 1
    assert len(caught.value.problems) == 3
