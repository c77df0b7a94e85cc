from __future__ import annotations

import pytest

from tailrace.errors import PipelineError
from tailrace.plan.identity import Scalar, Time
from tailrace.plan.templates import parse, template_names

VALUES: dict[str, Scalar] = {
    "client_ip": "{count}",
    "count": 12,
    "@time": Time(1_659_509_500_000_000),
    "mean (s)": 0.1,
    "host": None,
    "ok": True,
    "big": 1e22,
}


@pytest.mark.parametrize(
    ("template", "names", "filled"),
    [
        ("", (), ""),
        ("no names", (), "no names"),
        ("{client_ip} made {count}", ("client_ip", "count"), "{count} made 12"),
        ("{ count }{count}", ("count", "count"), "1212"),
        ("{@time}, {mean (s)}", ("@time", "mean (s)"), "2022-08-03T06:51:40.000Z, 0.1"),
        ("{host} {ok} {big}", ("host", "ok", "big"), "null true 1e+22"),
        ("{{count}} {{{count}}} }", ("count",), "{count} {12} }"),
        ("{nobody}", ("nobody",), "{nobody}"),
    ],
)
def test_filling(template: str, names: tuple[str, ...], filled: str) -> None:
    assert template_names(template) == names
    assert parse(template).fill(VALUES) == filled


@pytest.mark.parametrize("template", ["{", "a {count", "{}", "{a{b}", "{{{"])
def test_an_open_brace_is_refused(template: str) -> None:
    with pytest.raises(PipelineError, match="begins no"):
        parse(template)
