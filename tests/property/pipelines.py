"""Whole test cases drawn at random, as text: a failure can be read, and pasted into the corpus.

Values are few, so that they meet: times lie on and around the edges of a few windows, numbers
around thresholds, doubles are such that their order would matter in float sums.
"""

from collections.abc import Callable

from hypothesis import strategies as st

TEXTS = ("a", "b", "B", "é", '""')
INTEGERS = ("-2", "-1", "0", "1", "2", "3", "7", "9223372036854775807", "-9223372036854775808")
DOUBLES = ("0.1", "0.2", "0.3", "-0.0", "1e16", "-1e16", "1.5", "-2.25", "0.4e-9", "1000", "1e18")
WINDOWS = ("5s", "10s", "4s every 1s", "6s every 2s", "10s every 4s", "7s every 3s", "9s every 6s")
KEYS = ("k", "k", "k", "[k, j]", "[j, k]", "n", "ok", '{m: "n % 2"}', '{u: "upper(k)"}')
FILTERS = (
    *("n > 0", "j != 'b'", "x is not null", "1 // n >= 0", "ok", "not (n > 1)"),
    *("k in ('a', 'b')", "x between 0 and 2", "n > 0 or x > 1", "coalesce(n, 0) = 0"),
    *("j like '%b%'", "case when ok then n > 0 else x > 0 end"),
)
AGGREGATES = (
    *("count(*)", "count(*)", "count(x)", "count(j)", "sum(n)", "sum(x)", "avg(x)", "avg(n)"),
    *("min(n)", "max(n)", "min(x)", "max(x)", "min(j)", "max(j)", "stddev(n)", "stddev(x)"),
    *("quantile(x, 0.5)", "quantile(n, 0.9)", "median(x)", "count(distinct j)"),
    *("count(distinct j)", "count(distinct k)", "count(distinct ok)"),
    *("count(distinct n)", "count(distinct x)", "sum(6 // n)", "sum(n + 1)", "max(x * 1e300)"),
    *("changes(j)", "changes(n)", "changes(6 // n)", "changes(ok)"),
    *("count_if(ok)", "max(case when n > 0 then x end)", "sum(coalesce(x, 1))"),
    *("sum(y)", "avg(y)", "stddev(y)", "max(y)"),
)
DERIVED = ("x * 1e12", "x * 1e30", "x / 3", "x * x")
CONDITIONS = ("{a} > {c}", "{a} >= {c}", "{a} < {c}", "{a} <= {c}", "{a} = {c}", "{a} is null")
NUMERIC = tuple(each for each in AGGREGATES if not each.startswith(("min(j)", "max(j)")))
SELECTED = (
    "{a} / {b}",
    "1 / ({a} - 1)",
    "{a} + {b}",
    "cast({a} as integer)",
    "coalesce(1 / {a}, 2)",
)
CONSTANTS = ("0", "1", "2", "3", "0.3", "1.5")
Rules = Callable[[int], st.SearchStrategy[list[str]]]
GRACES = ("0s", "1s", "2500ms", "5s", "20s")


@st.composite
def aggregates(draw: st.DrawFn, pool: tuple[str, ...] = AGGREGATES) -> str:
    aggregate = draw(st.sampled_from(pool))
    if draw(st.integers(0, 3)) == 0:
        return f"{aggregate} filter (where {draw(st.sampled_from(FILTERS))})"
    return aggregate


@st.composite
def selections(draw: st.DrawFn, least: int = 1) -> list[str]:
    """What a rule selects, as a line of it: aggregates, and expressions over them."""

    def one() -> str:
        if draw(st.integers(0, 3)):
            return draw(aggregates())
        form = draw(st.sampled_from(SELECTED))
        return form.format(a=draw(aggregates(NUMERIC)), b=draw(aggregates(NUMERIC)))

    measures = [one() for _ in range(draw(st.integers(least, 3)))]
    inside = ", ".join(f"m{i}: {quoted(each)}" for i, each in enumerate(measures))
    return [f"select: {{{inside}}}"] if measures else []


@st.composite
def conditions(draw: st.DrawFn) -> str:
    def one() -> str:
        form = draw(st.sampled_from(CONDITIONS))
        return form.format(a=draw(aggregates(NUMERIC)), c=draw(st.sampled_from(CONSTANTS)))

    match draw(st.integers(0, 7)):
        case 0:
            return f"{one()} and {one()}"
        case 1:
            return f"{one()} or {one()}"
        case 2:
            return f"not ({one()})"
        case 3:
            top, bottom = draw(aggregates(NUMERIC)), draw(aggregates(NUMERIC))
            return f"{top} / {bottom} > {draw(st.sampled_from(CONSTANTS))}"
        case 4 | 5:
            return f"count(*) > {draw(st.integers(0, 3))}"
        case _:
            return one()


@st.composite
def rules(draw: st.DrawFn, number: int) -> list[str]:
    """One rule as lines of YAML."""
    kind = draw(st.sampled_from((*["alert"] * 4, *["record"] * 3, "event")))
    head = f"    - {'record' if kind == 'record' else 'alert'}: r{number}"
    lines = [head]
    if draw(st.integers(0, 2)) == 0:
        lines.append(f"where: {quoted(draw(st.sampled_from(FILTERS)))}")
    if kind == "event":
        lines.append(f"when: {quoted(draw(st.sampled_from(FILTERS)))}")
        return lines
    if draw(st.integers(0, 5)):
        lines.append(f"by: {draw(st.sampled_from(KEYS))}")
    lines.append(f"window: {draw(st.sampled_from(WINDOWS))}")
    if kind == "alert" or draw(st.integers(0, 3)) == 0:
        lines.append(f"when: {quoted(draw(conditions()))}")
    if kind == "record" or draw(st.integers(0, 3)) == 0:
        lines.extend(draw(selections()))
    if kind == "alert":
        lines.extend(draw(timers()))
    return lines


@st.composite
def timers(draw: st.DrawFn) -> list[str]:
    choices = {
        "for": ("1s", "2s", "3s", "4500ms"),
        "keep_firing_for": ("1s", "1500ms", "4s", "9s"),
        "cooldown": ("1s", "3s", "10s"),
        "update_every": ("1s", "2s", "5s"),
    }
    return [
        f"{name}: {draw(st.sampled_from(values))}"
        for name, values in choices.items()
        if draw(st.integers(0, 2)) == 0
    ]


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def rule_list(found: list[list[str]]) -> list[str]:
    return ["  rules:", *("\n      ".join(lines) for lines in found)]


@st.composite
def pipelines(draw: st.DrawFn, each: Rules = rules) -> tuple[list[str], list[str]]:
    """Lines of a pipeline, and those of another version of its rules, which ``each`` draws."""
    fields = "{k: text, j: text, n: integer, x: double, ok: boolean}"
    lines = ["  name: drawn", "  source: {stdin: {}}"]
    lines.append(f"  time: {{field: t, grace: {draw(st.sampled_from(GRACES))}}}")
    lines.append(f"  fields: {fields}")
    lines.append(f"  derive: {{y: {draw(st.sampled_from(DERIVED))}}}")
    if draw(st.integers(0, 3)) == 0:
        lines.append(f"  dedup: {{by: [j], within: {draw(st.sampled_from(('1s', '4s')))}}}")
    limits = []
    if draw(st.booleans()):
        limits.append("max_keys: 64")
    if draw(st.booleans()):
        limits.append("max_distinct: 2")
    if limits:
        lines.append(f"  limits: {{{', '.join(limits)}}}")
    found = [draw(each(i)) for i in range(draw(st.integers(1, 3)))]
    changed = [lines if draw(st.booleans()) else draw(each(i)) for i, lines in enumerate(found)]
    whole = [*lines, *rule_list(found)], rule_list(changed)
    if any("leaky" in line and "distinct" in line for line in (*whole[0], *whole[1])):
        # A bucket must be able to overflow.
        whole[0][:] = [line.replace("max_distinct: 2", "max_distinct: 4") for line in whole[0]]
    return whole


@st.composite
def row_values(draw: st.DrawFn) -> str:
    pools = {
        "k": ("a", "a", "b", "q", "q", "y", "y", "xb"),
        "j": TEXTS,
        "n": INTEGERS[:7],
        "x": DOUBLES,
    }
    if draw(st.integers(0, 9)) == 0:
        pools["n"] = INTEGERS
    pools["ok"] = ("true", "false")
    words = []
    for name, pool in pools.items():
        chance = draw(st.integers(0, 11))
        if chance == 0:
            words.append(f"{name}=null")
        elif chance != 1:
            words.append(f"{name}={draw(st.sampled_from(pool))}")
    return " ".join(words)


@st.composite
def rows(draw: st.DrawFn, clock: int) -> tuple[list[str], int]:
    """Rows of one partition as lines, around a clock in milliseconds; and the clock after them."""
    lines = []
    for _ in range(draw(st.integers(1, 12))):
        kind = draw(st.integers(0, 29))
        if kind == 0:
            lines.append(draw(st.sampled_from(("  |", "  | {", '  | {"t": 1, "n": "x"}'))))
            continue
        clock += draw(st.sampled_from((0, 0, 500, 1000, 1000, 2000, 5000, 30_000 * (kind == 1))))
        time = clock - draw(st.sampled_from((0, 0, 0, 0, 1000, 2500, 6000, 12_000)))
        exact = time * 1000 + draw(st.sampled_from((0, 0, 0, 0, 1, -1)))
        lines.append(f"  {exact}us {draw(row_values())}")
    return lines, clock


@st.composite
def cases(draw: st.DrawFn, each: Rules = rules) -> str:
    """The text of a test file with one case, whose rules ``each`` draws by number."""
    pipeline, changed = draw(pipelines(each))
    names = [f"p{i}" for i in range(draw(st.integers(1, 3)))]
    late = names[1:] if draw(st.integers(0, 4)) == 0 else []
    clocks = dict.fromkeys(names, draw(st.sampled_from((0, 17_000, -5000))))
    states = {name: "absent" if name in late else "live" for name in names}
    lines = ["pipeline", *pipeline, "", "case drawn"]
    lines.extend(f"rows {name}" for name in names if name not in late)
    for _ in range(draw(st.integers(0, 8))):
        name = draw(st.sampled_from(names))
        match states[name], draw(st.integers(0, 9)):
            case "absent", _:
                lines.append(f"appear {name}")
                states[name] = "live"
            case "idle", _:
                lines.append(f"return {name}")
                states[name] = "live"
            case "live", 0:
                lines.append(f"idle {name}")
                states[name] = "idle"
            case "live", 1:
                lines.extend(["reload", *changed])
            case _:
                found, clocks[name] = draw(rows(clocks[name]))
                lines.extend([f"rows {name}", *found])
        if "live" not in states.values() and draw(st.booleans()):
            lines.append(f"clock {draw(st.sampled_from(('1s', '3500ms', '20s')))}")
    lines.extend(f"appear {name}" for name in names if states[name] == "absent")
    if draw(st.integers(0, 4)):
        lines.append("end")
    lines.append("expect no alerts nothing")
    return "\n".join(lines) + "\n"


@st.composite
def feeds(draw: st.DrawFn) -> tuple[int | None, int]:
    """How many records a poll gives (see Variation), and a seed."""
    return draw(st.sampled_from((None, 0, 0, 1, 3))), draw(st.integers(0, 99))
