"""What holds for every test: no service test is skipped in CI, and each folder's time is shown."""

import os
from collections import defaultdict
from collections.abc import Generator
from pathlib import Path

import hypothesis
import pytest

# No test asserts times, those that hypothesis draws included.
hypothesis.settings.register_profile(
    "tailrace", parent=hypothesis.settings(), deadline=None
)  # what hypothesis itself does in CI stays: there the same examples are drawn each time
hypothesis.settings.load_profile("tailrace")

TESTS = Path(__file__).parent
BUDGET_SECONDS = 300
"""For unit and conformance tests together, on two cores."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if folder(item.path) in {"browser", "services", "spark"}:
            item.add_marker(pytest.mark.services)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With CI=true a missing server is a failure: there, everything real must run.

    Not a right that the machine doesn't give: nothing that is installed would.
    """
    report = yield
    skipped = report.skipped and not hasattr(report, "wasxfail")
    needed = item.get_closest_marker("services") and not item.get_closest_marker("rights")
    if skipped and os.environ.get("CI") == "true" and needed:
        report.outcome = "failed"
        report.longrepr = f"skipped, which CI does not allow: {reason_of(report)}"
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    took: defaultdict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for report in reports:
            if isinstance(report, pytest.TestReport):
                took[folder(Path(report.nodeid.split("::")[0]).resolve())] += report.duration
    if not took:
        return
    terminalreporter.section("time by folder")
    for name, seconds in sorted(took.items()):
        terminalreporter.write_line(f"{name:<12} {seconds:7.1f} s")
    counted = took["unit"] + took["conformance"]
    if counted > BUDGET_SECONDS:
        terminalreporter.write_line(
            f"unit and conformance tests are over their {BUDGET_SECONDS} s", yellow=True
        )


def folder(path: Path) -> str:
    """Return the folder of `tests` that holds a test file; what runs on Spark counts for itself."""
    if not path.is_relative_to(TESTS):
        return "elsewhere"
    parts = path.relative_to(TESTS).parts
    return "spark" if "spark" in parts or parts[-1] == "test_spark.py" else parts[0]


def reason_of(report: pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
