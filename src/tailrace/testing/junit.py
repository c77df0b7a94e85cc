"""Results as JUnit XML, which build servers show."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from tailrace.testing.runner import Result

_FORBIDDEN = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def junit(results: Sequence[Result]) -> str:
    """Write one suite for each test file; a failed case has its diff as text."""
    suites: defaultdict[str, list[Result]] = defaultdict(list)
    for result in results:
        suites[result.case.where.file].append(result)
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f"<testsuites {_totals(results)}>"]
    for file, inside in suites.items():
        lines.append(f"  <testsuite name={_attribute(file)} {_totals(inside)}>")
        for result in inside:
            lines.extend(_case(file, result))
        lines.append("  </testsuite>")
    lines.append("</testsuites>\n")
    return "\n".join(lines)


def _totals(results: Sequence[Result]) -> str:
    failed = sum(not result.passed for result in results)
    seconds = sum(result.seconds for result in results)
    return f'tests="{len(results)}" failures="{failed}" errors="0" time="{seconds:.3f}"'


def _case(file: str, result: Result) -> list[str]:
    name = _attribute(result.case.name)
    place = f'classname={_attribute(file)} line="{result.case.where.line}"'
    head = f'    <testcase name={name} {place} time="{result.seconds:.3f}"'
    if result.passed:
        return [head + "/>"]
    message = _attribute("; ".join(failure.title for failure in result.failures))
    text = escape(_clean("\n".join(failure.render() for failure in result.failures)))
    return [head + ">", f"      <failure message={message}>{text}</failure>", "    </testcase>"]


def _attribute(text: str) -> str:
    return quoteattr(_clean(text))


def _clean(text: str) -> str:
    return _FORBIDDEN.sub("\ufffd", text)
