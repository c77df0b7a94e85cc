"""A run that was dealt out to workers is told of whole: a worker that is lost fails it.

A test during which a worker dies is a failure by itself. One that dies between tests, or at its
end, and tests that nobody came to run after that, would pass without a word.
"""

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.lanes import Lanes

MOST_SHOWN = 10


class Workers:
    """Only of use in the process that deals tests out."""

    def __init__(self) -> None:
        self.lanes: Lanes | None = None
        self._told: set[str] = set()
        self._wrong: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self._told.add(report.nodeid)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object, error: object) -> None:
        if error:
            name = getattr(getattr(node, "gateway", None), "id", "?")
            self._wrong.append(f"worker {name} died: {str(error).strip().splitlines()[-1]}")

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        collected = (self.lanes.collection if self.lanes is not None else None) or ()
        missing = [nodeid for nodeid in collected if nodeid not in self._told]
        if missing and not session.shouldstop and not session.shouldfail:
            more = [f"... and {len(missing) - MOST_SHOWN} more"] * (len(missing) > MOST_SHOWN)
            shown = "\n  ".join([*missing[:MOST_SHOWN], *more])
            self._wrong.append(f"{len(missing)} tests were not run:\n  {shown}")
        if self._wrong and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self._wrong:
            terminalreporter.section("workers", red=True, bold=True)
            for one in self._wrong:
                terminalreporter.write_line(one, red=True)
