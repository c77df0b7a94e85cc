"""A report as one HTML page."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tailrace.backtest.report import Report


def report_html(report: Report) -> str:
    """The page."""
    return str(report)
