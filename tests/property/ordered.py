"""Rules that see events in order, drawn at random, as lines of a pipeline file."""

from hypothesis import strategies as st
from tests.property.pipelines import FILTERS, conditions, quoted, selections

SPANS = ("500ms", "1s", "2s", "3s", "4s", "7s")
GRAINS = ("1s", "1s", "500ms", "2s", "3s")
STEPS = ("n > 0", "n <= 1", "ok", "not ok", "x > 0", "j = 'b'", "6 // n > 1")
KEYS = ("k", "k", "k", "[k, j]", "n", '{m: "n % 2"}')


@st.composite
def ordered_rules(draw: st.DrawFn, number: int) -> list[str]:
    """One rule as lines of YAML."""
    kind = draw(
        st.sampled_from(("sliding", "sliding", "record", "leaky", "first", "absent", "sequence"))
    )
    lines = [f"    - {'record' if kind == 'record' else 'alert'}: r{number}"]
    if draw(st.integers(0, 5)):
        lines.append(f"by: {draw(st.sampled_from(KEYS))}")
    if draw(st.integers(0, 3)) == 0:
        lines.append(f"where: {quoted(draw(st.sampled_from(FILTERS)))}")
    if draw(st.booleans()):
        lines.append(f"grain: {draw(st.sampled_from(GRAINS))}")
    lines.extend(draw(_own(kind)))
    if kind != "record":
        lines.extend(draw(_timers(lasting=kind in {"sliding", "absent"})))
    return lines


@st.composite
def _own(draw: st.DrawFn, kind: str) -> list[str]:
    span = st.sampled_from(SPANS)
    match kind:
        case "sliding":
            lines = [f"window: {draw(span)} sliding", f"when: {quoted(draw(conditions()))}"]
            return lines + draw(selections(least=0))
        case "record":
            return [f"window: {draw(span)} sliding", *draw(selections(least=1))]
        case "leaky":
            own = [f"capacity: {draw(st.integers(1, 3))}", f"leak: {draw(span)}"]
            if draw(st.integers(0, 2)) == 0:
                own.append(f"distinct: {quoted(draw(st.sampled_from(('j', 'n', '6 // n'))))}")
            if draw(st.integers(0, 2)) == 0:
                own.append(f"blackhole: {draw(span)}")
            return [f"leaky: {{{', '.join(own)}}}"]
        case "first":
            learn = draw(st.sampled_from(("", "", ", learn: 0s", ", learn: 2s")))
            return [f"first_seen: {{within: {draw(span)}{learn}}}"]
        case "absent":
            forget = draw(st.sampled_from(("8s", "20s")))
            return [f"absent_for: {{after: {draw(span)}, forget: {forget}}}"]
        case _:
            steps = draw(st.lists(st.sampled_from(STEPS), min_size=2, max_size=4))
            named = ", ".join(f"s{i}: {quoted(step)}" for i, step in enumerate(steps))
            own = [f"steps: {{{named}}}", f"within: {draw(span)}"]
            if draw(st.integers(0, 2)) == 0:
                own.append(f"cancel: {quoted(draw(st.sampled_from(STEPS)))}")
            return [f"sequence: {{{', '.join(own)}}}"]


@st.composite
def _timers(draw: st.DrawFn, *, lasting: bool) -> list[str]:
    choices = {
        "for": ("1s", "2500ms", "4s"),
        "keep_firing_for": ("1s", "1500ms", "9s"),
        "cooldown": ("1s", "3s", "10s"),
        "update_every": ("700ms", "2s", "5s"),
    }
    if not lasting:
        del choices["for"]
    return [
        f"{name}: {draw(st.sampled_from(values))}"
        for name, values in choices.items()
        if draw(st.integers(0, 2)) == 0
    ]
