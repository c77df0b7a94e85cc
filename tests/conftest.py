"""What holds for every test: lanes, no lost worker, no skipped service test in CI, times shown."""

import os
from collections import defaultdict
from collections.abc import Generator
from pathlib import PurePath

import hypothesis
import pytest
from tests import lanes
from tests.workers import Workers

# No test asserts times, those that hypothesis draws included.
hypothesis.settings.register_profile(
    "tailrace", parent=hypothesis.settings(), deadline=None
)  # what hypothesis itself does in CI stays: there the same examples are drawn each time
hypothesis.settings.load_profile("tailrace")

# What tests start, they start hundreds of times: from compiled modules, in a third less time.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

BUDGET_SECONDS = 300
"""For unit and conformance tests together, on two cores."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if counted_as(item.nodeid) in {*lanes.ON_SERVERS, "spark"}:
            item.add_marker(pytest.mark.services)
    lanes.put_in_order(items)


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(Workers(), "workers of tailrace")


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> lanes.Lanes:
    config.option.loadscopereorder = False  # the order of the tests is that of the lanes
    dealing = lanes.Lanes(config, log)
    workers = config.pluginmanager.get_plugin("workers of tailrace")
    assert isinstance(workers, Workers)
    workers.lanes = dealing
    return dealing


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
                took[counted_as(report.nodeid)] += report.duration
    if not took:
        return
    workers = terminalreporter.config.getoption("numprocesses", 0) or 1
    terminalreporter.section("time by folder" + f", {workers} tests at a time" * (workers > 1))
    for name, seconds in sorted(took.items()):
        terminalreporter.write_line(f"{name:<12} {seconds:7.1f} s")
    counted = took["unit"] + took["conformance"]
    if counted > BUDGET_SECONDS:
        terminalreporter.write_line(
            f"unit and conformance tests are over their {BUDGET_SECONDS} s", yellow=True
        )


def counted_as(nodeid: str) -> str:
    """Return the folder of `tests` that a test is in; what is for Spark counts for itself."""
    path = PurePath(nodeid.partition("::")[0])
    if "spark" in path.parts or path.name == "test_spark.py":
        return "spark"
    return lanes.folder(nodeid)


def reason_of(report: pytest.TestReport) -> str:
    return report.longrepr[2] if isinstance(report.longrepr, tuple) else str(report.longrepr)
