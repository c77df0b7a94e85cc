"""Incidents, early notices and per-event alerts: what a firing means for people."""

from tailrace.alerts.events import EventAlert
from tailrace.alerts.fold import IncidentFold
from tailrace.alerts.incidents import Firings, FoldResult, IncidentRule, Revision
from tailrace.alerts.notices import Notice, early_notice
from tailrace.alerts.states import IncidentState

__all__ = [
    "EventAlert",
    "Firings",
    "FoldResult",
    "IncidentFold",
    "IncidentRule",
    "IncidentState",
    "Notice",
    "Revision",
    "early_notice",
]
