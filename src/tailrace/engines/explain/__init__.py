"""Why a rule fired or didn't: what lay in a window, taken apart. Nothing here prints.

``questions`` reads what was asked, ``kept`` and ``again`` find what lay in the windows, ``windows``
judges it once more, ``plans`` tells how a pipeline will be computed.
"""

from tailrace.engines.explain.answers import Explanation, PaneSeen, PartSeen, WindowSeen
from tailrace.engines.explain.asking import explain_window
from tailrace.engines.explain.plans import PlanTold, tell_plan

__all__ = [
    "Explanation",
    "PaneSeen",
    "PartSeen",
    "PlanTold",
    "WindowSeen",
    "explain_window",
    "tell_plan",
]
