"""Running cases on an engine, JUnit, and the verb `tailrace test`."""

import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from tailrace.cli.main import run as run_verb
from tailrace.testing.case import Case
from tailrace.testing.format import loads
from tailrace.testing.junit import junit
from tailrace.testing.outcome import WHOLE, Counts, DeadLetter, Outcome, Variation
from tailrace.testing.runner import run

PIPELINE = """\
pipeline
  name: x
  source: {stdin: {}}
  time: {field: t, grace: 0s}
  fields: {k: text}
  rules:
    - {alert: flood, by: k, window: 10s, when: count(*) > 1}
"""
GOOD = "case good\nrows p\n  0s k=a x2\nend\nexpect some alerts flood\n  opened k=a count=2\n"
BAD = 'case bad <&>\nrows p\n  0s k="\\u001b" x2\nend\nexpect alerts flood\n  opened k=a count=3\n'


class Fixed:
    """An engine that gives a dead letter for the second record of p, and remembers its orders."""

    def __init__(self) -> None:
        self.ran: list[tuple[str, Variation]] = []

    def run(self, case: Case, variation: Variation = WHOLE) -> Outcome:
        self.ran.append((case.name, variation))
        return Outcome(dead=(DeadLetter("p", 26, "bad"),), counts=Counts(read=2))


def test_results_come_one_by_one_with_records_by_number() -> None:
    text = "case a\nrows p\n  0s k=a\n  1s k=b\nexpect dead\n  p#2 code=bad\n"
    text += "case b\nexpect counts read=3\n"
    engine = Fixed()
    results = run(loads(PIPELINE + text), engine, Variation("each", records=1))
    first = next(results)
    assert len(engine.ran) == 1
    assert first.failures == ()
    assert first.passed
    (second,) = results
    assert not second.passed
    assert engine.ran[1] == ("b", Variation("each", records=1))


def test_junit_has_a_suite_for_each_file_and_the_diff_of_a_failure() -> None:
    (good,) = loads(PIPELINE + 'case "a" \x01\nexpect counts read=2\n', "one.test")
    (bad,) = loads(PIPELINE + "case b\nexpect counts read=3\n", "two.test")
    tree = ET.fromstring(junit(list(run([good, bad], Fixed()))))  # noqa: S314 (our own)
    assert {name: tree.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "2",
        "failures": "1",
        "errors": "0",
    }
    assert [suite.get("name") for suite in tree] == ["one.test", "two.test"]
    assert [test.get("name") for test in tree.iter("testcase")] == ['"a" \ufffd', "b"]
    (failure,) = tree.iter("failure")
    assert failure.get("message") == "the counts differ"
    assert failure.text == "two.test:9:1: the counts differ\n  -  read=3\n  +  read=2"


# The verb


def verb(*args: str) -> Result:
    from tailrace.cli.test import command

    return CliRunner().invoke(command, args, standalone_mode=False)


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    good, both = tmp_path / "good.test", tmp_path / "both.test"
    good.write_text(PIPELINE + GOOD)
    both.write_text(PIPELINE + GOOD + BAD)
    return good, both


def test_passing_files(files: tuple[Path, Path]) -> None:
    result = verb(str(files[0]))
    assert result.return_value == 0
    assert result.output.splitlines() == [f"ok     {files[0]}: good", "1 passed"]


def test_a_failing_case_shows_its_diff(files: tuple[Path, Path], tmp_path: Path) -> None:
    result = verb(*map(str, files), "--junit", str(tmp_path / "out.xml"))
    assert result.return_value == 1
    assert result.output.splitlines() == [
        f"ok     {files[0]}: good",
        f"ok     {files[1]}: good",
        f"FAILED {files[1]}: bad <&>",
        f"  {files[1]}:18:1: expect alerts flood: 1 missing, 2 unexpected",
        "    -  opened                  k=a         count=3",
        '    +  opened       [0s, 10s)  k="\\u001b"  count=2',
        '    +  input_ended  [0s, 10s)  k="\\u001b"  count=2',
        "2 passed, 1 failed",
    ]
    assert 'failures="1"' in (tmp_path / "out.xml").read_text()


def test_cases_chosen_by_name(files: tuple[Path, Path]) -> None:
    result = verb(str(files[1]), "-k", "GOOD")
    assert (result.return_value, result.output.splitlines()[-1]) == (0, "1 passed")


@pytest.mark.parametrize(
    ("text", "args", "problem"),
    [
        (PIPELINE + "frob\n", [], ":8:1: 'frob' is no verb"),
        (PIPELINE + GOOD, ["-k", "nothing"], "no case has 'nothing' in its name"),
        (PIPELINE.replace("count(*)", "cuont(*)") + GOOD, [], ":7:48: unknown function 'cuont'"),
    ],
)
def test_a_wrong_file_is_told_with_its_place(
    text: str,
    args: list[str],
    problem: str,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = tmp_path / "f.test"
    file.write_text(text)
    code = run_verb(["test", str(file), *args])
    assert code == 2
    assert problem in capsys.readouterr().err


def test_problems_of_all_files_are_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_text("frob\n")
    assert run_verb(["test", str(tmp_path / "a"), str(tmp_path / "b")]) == 2
    told = capsys.readouterr().err
    assert "a:1:1" in told
    assert "b:1:1" in told


DOCS = Path(__file__).parents[3] / "docs" / "rule-tests.md"
FLOOD = """\
name: x
source: {stdin: {}}
time: {field: t, grace: 0s}
fields: {client_ip: text}
rules:
  - {alert: client_flood, by: client_ip, window: 10s, when: count(*) > 10, keep_firing_for: KEEP}
"""


@pytest.mark.parametrize(("keep", "passes"), [("0s", True), ("5s", False)])
def test_the_example_of_the_docs(
    keep: str, passes: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    example, failure = DOCS.read_text().split("```\n")[1:4:2]
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "flood.txt").write_text(example)
    (tmp_path / "pipeline.yaml").write_text(FLOOD.replace("KEEP", keep))
    monkeypatch.chdir(tmp_path)
    result = verb("tests/flood.txt")
    assert result.return_value == (0 if passes else 1)
    if not passes:
        assert result.output == failure + "0 passed, 1 failed\n"
