"""Rules that see events in order, in a few words for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.config.units import render_duration
from tailrace.expr.render import render
from tailrace.plan.ordered import AbsentFor, FirstSeen, Leaky, Sequence, Sliding

if TYPE_CHECKING:
    from tailrace.plan.ordered import Ordered


def described(ordered: Ordered) -> str:
    """What the rule looks for."""
    match ordered:
        case Sliding():
            return f"{render_duration(ordered.size)} sliding"
        case Leaky():
            each = render_duration(ordered.leak)
            what = "events" if ordered.distinct is None else f"values of {render(ordered.distinct)}"
            return f"leaky: more than {ordered.capacity} {what}, one leaks in {each}"
        case FirstSeen():
            return f"first seen in {render_duration(ordered.within)}"
        case AbsentFor():
            return f"absent for {render_duration(ordered.after)}"
        case Sequence():
            steps = ", then ".join(name for name, _ in ordered.steps)
            return f"sequence: {steps}, within {render_duration(ordered.within)}"


def details(ordered: Ordered) -> dict[str, str]:
    """Its other options by name, and its conditions."""
    match ordered:
        case Leaky():
            blackhole = render_duration(ordered.blackhole)
            return {"blackhole": blackhole} if ordered.blackhole else {}
        case FirstSeen():
            return {"learn": render_duration(ordered.learn)}
        case AbsentFor():
            return {"forget": render_duration(ordered.forget)}
        case Sequence():
            found = {f"step {name}": render(node) for name, node in ordered.steps}
            return found if ordered.cancel is None else {**found, "cancel": render(ordered.cancel)}
        case _:
            return {}
