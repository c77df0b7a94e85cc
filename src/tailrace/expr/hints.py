"""What to say about functions that people try and that are not in the language."""

from __future__ import annotations

_QUANTILE = "write quantile(x, 0.95)"
_ORDER = "its value would depend on the order of events; min and max don't"
_MOMENT = "its value would depend on the moment of the run; an expression sees events only"
_CHANCE = "its value would depend on chance"

INSTEAD = {
    **dict.fromkeys(
        ("p50", "p90", "p95", "p99", "percentile", "percentile_cont", "percentile_disc"), _QUANTILE
    ),
    **dict.fromkeys(("quantile_cont", "quantile_disc", "approx_quantile"), _QUANTILE),
    **dict.fromkeys(("first", "last", "any_value", "arg_min", "arg_max", "list"), _ORDER),
    **dict.fromkeys(("string_agg", "group_concat", "array_agg", "lag", "lead"), _ORDER),
    **dict.fromkeys(("now", "today", "current_timestamp", "current_date", "current_time"), _MOMENT),
    **dict.fromkeys(("random", "uuid", "gen_random_uuid"), _CHANCE),
    **dict.fromkeys(("approx_count_distinct", "uniq", "countdistinct"), "write count(distinct x)"),
    **dict.fromkeys(("countif", "sum_if", "avg_if"), "write count(*) filter (where ...)"),
    **dict.fromkeys(("stddev_pop", "var_pop", "variance", "std"), "write stddev(x)"),
    **dict.fromkeys(
        ("ln", "log", "log10", "log2", "exp", "pow", "power"),
        "not in the language: its last digit differs between machines",
    ),
    **dict.fromkeys(("if", "iff", "iif"), "write case when ... then ... else ... end"),
    **dict.fromkeys(("ifnull", "nvl"), "write coalesce(x, y)"),
    **dict.fromkeys(("len", "strlen", "char_length"), "write length(x)"),
    **dict.fromkeys(("substring", "left", "mid"), "write substr(x, start, length)"),
    **dict.fromkeys(("lcase",), "write lower(x)"),
    **dict.fromkeys(("ucase",), "write upper(x)"),
    **dict.fromkeys(("ceiling",), "write ceil(x)"),
    **dict.fromkeys(("startswith", "prefix"), "write starts_with(x, y)"),
    **dict.fromkeys(("endswith", "suffix"), "write ends_with(x, y)"),
    **dict.fromkeys(("strpos", "instr", "position", "includes"), "write contains(x, y)"),
    **dict.fromkeys(("concat",), "write x || y"),
    **dict.fromkeys(("total",), "write sum(x)"),
    **dict.fromkeys(("average",), "write avg(x)"),
    **dict.fromkeys(("mod",), "write x % y"),
    **dict.fromkeys(("div",), "write x // y"),
    **dict.fromkeys(("regexp_like", "regexp", "rlike", "match"), "write regexp_matches(x, 'p')"),
    **dict.fromkeys(("dayofweek", "isodow", "weekday", "dow"), "write day_of_week(t)"),
}
