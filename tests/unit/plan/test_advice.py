import pytest

from tailrace.config import loads
from tailrace.plan.advice import advice

RIGHT = """\
name: p
source: {file: {path: a.log}}
time: {field: t, arrival: u}
fields: {a: text}
rules:
  - {alert: one, by: a, window: 1m, when: count(*) > 1, to: [x]}
outputs: {x: {file: {path: x.ndjson}}}
"""


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("", "", []),
        ("file: {path: a.log}", "stdin: {}", ["2:9: stdin can't be read again"]),
        (", arrival: u", "", ["3:1: future times aren't checked"]),
        ("t, arrival", "t, grace: 0s, arrival", ["3:25: grace is 0"]),
        ("to: [x]", "to: []", ["6:5: one has no 'to': its alerts are only on the terminal and",
                               "7:11: no rule sends to the output 'x'"]),
        ("rules:", "rules:\n  - {alert: two, when: a = 'b'}", ["6:5: two has no 'to'"]),
        (
            "rules:",
            "rules:\n  - {record: two, window: 1m, select: {n: count(*)}}",
            ["6:5: two has no 'to': its rows go nowhere"],
        ),
        ("to: [x]}", "}\narchive: {to: [x]}", ["6:5: one has no 'to'"]),
        ("to: [x]}", "}\nverdicts: {bad: {from: one, for: 1m, to: [x]}}", []),
    ],
)  # fmt: skip
def test_warnings(old: str, new: str, told: list[str]) -> None:
    found = advice(loads(RIGHT.replace(old, new), "p.yaml"))
    texts = [problem.render().removeprefix("p.yaml:") for problem in found]
    assert [text[: len(start)] for text, start in zip(texts, told, strict=True)] == told
