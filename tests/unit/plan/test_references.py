"""References and allow-lists in a pipeline file: each mistake at its place, in words."""

import pytest

from tailrace.config import loads
from tailrace.errors import PipelineError
from tailrace.plan.compile import compile_pipeline
from tailrace.plan.model import Plan

BASE = """
name: p
source: {stdin: {}}
time: {field: t}
fields: {account: integer, host: text, ip: text, n: integer}
references:
  users: {file: {path: u.csv}, key: account, columns: {account: integer, device: text}}
  limits: {file: {path: l.csv}, key: host, columns: {host: text, most: integer}, REST}
  many: {file: {path: m.csv}, key: host, columns: {host: text}, duplicates: allow}
RULES
"""
ALERT = "rules: [{alert: a, when: 'known(users)'}]"


def compiled(rules: str = ALERT, rest: str = "refresh: 1m", more: str = "") -> Plan:
    text = BASE.replace("RULES", rules).replace("REST", rest)
    return compile_pipeline(loads(text + more, "p.yaml", env={}))


def problems(rules: str = ALERT, rest: str = "refresh: 1m", more: str = "") -> list[str]:
    with pytest.raises(PipelineError) as raised:
        compiled(rules, rest, more)
    return [problem.message for problem in raised.value.problems]


def event(when: str) -> str:
    return f'rules: [{{alert: a, when: "{when}"}}]'


def window(when: str, by: str = "host", rest: str = "") -> str:
    return f'rules: [{{alert: a, by: {by}, window: 1m{rest}, when: "{when}"}}]'


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        (event("user.device = 'x'"), "there is no reference 'user'"),
        (event("known(user)"), "there is no reference 'user'"),
        (event("users.devise = 'x'"), "the reference 'users' has no column 'devise'"),
        (event("known('users')"), "known takes the name of a reference"),
        (event("known(users, limits)"), "known takes the name of a reference"),
        (event("many.host = 'x'"), "several rows of 'many' may match (duplicates: allow)"),
        (event("users.account.x = 1"), "names have two parts at most"),
        (
            window("count(*) > limits.most", by="account"),
            "'limits' is found by host, and the rule's key has account",
        ),
        (
            window("count(*) > limits.most", rest=" sliding"),
            "a sliding window has no limits: 'limits' can't be looked up here",
        ),
    ],
)
def test_lookups_that_lead_nowhere(rules: str, message: str) -> None:
    assert problems(rules) == [message]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("match: {host: account}", "'host' is text, and is compared with integer"),
        ("match: {host: hots}", "unknown field 'hots'"),
    ],
)
def test_what_a_reference_is_matched_by(rest: str, message: str) -> None:
    assert problems(event("known(limits)"), rest) == [message]


@pytest.mark.parametrize(
    ("rest", "message"),
    [
        ("match: {most: n}", "'most' is not in the key"),
        ("valid_from: most", "'most' is no column of type time"),
        ("seed: [{host: a}]", "only the table of a SQL reference can be seeded"),
        ("http: {url: 'http://h/'}", "'http' beside 'file'"),
        ("refresh: never", "limits.refresh: "),
        ("duplicates: last", "limits.duplicates: "),
        (
            "pivot: {name: nam, value: most, columns: {a: b}}",
            "there is no column 'nam'",
        ),
        (
            "pivot: {name: host, value: most, columns: {a: x, b: x}}",
            "the name 'x' means 'a' already",
        ),
    ],
)
def test_options_that_do_not_fit(rest: str, message: str) -> None:
    assert any(message in found for found in problems(rest=rest)), problems(rest=rest)


@pytest.mark.parametrize(
    ("place", "message"),
    [
        ("{}", "no kind of reference is given"),
        ("{sql: {url: 'oracle://h/d', table: t}}", "no known database: 'oracle'"),
        ("{sql: {url: 'mysql://h/d'}}", "either a table or a query"),
        ("{sql: {url: 'mysql://h/d', table: t, channel: c}}", "only PostgreSQL notifies"),
        ("{redis: {keys: 'user:*:*'}}", "the pattern needs one `*`"),
        ("{redis: {set: a, hash: b}}", "one of 'keys', 'hash' and 'set'"),
        ("{http: {url: 'ftp://secret@h/'}}", "this is not an address"),
    ],
)
def test_places_that_are_none(place: str, message: str) -> None:
    text = BASE.replace("RULES", ALERT).replace("{file: {path: u.csv},", place[:-1] + ",", 1)
    with pytest.raises(PipelineError) as raised:
        loads(text.replace("{,", "{").replace("REST", "refresh: 1m"), "p.yaml", env={})
    assert message in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("allow", "message"),
    [
        ("{hots: a}", "there is no field 'hots'"),
        ("{host: {reference: user}}", "there is no reference 'user'"),
        (
            "{host: {reference: users}}",
            "'users' must have one column as its key, of type text",
        ),
    ],
)
def test_allow_lists_that_list_nobody(allow: str, message: str) -> None:
    assert problems(more=f"allow: {allow}\n") == [message]


def test_what_changes_a_rule_that_looks_things_up() -> None:
    def identity(**given: str) -> str:
        return compiled(event("known(limits)"), **given).event_rules[0].identity

    first = identity()
    assert identity(rest="refresh: 2m, empty: allow") == first
    assert identity(rest="match: {host: ip}") != first
    assert identity(rest="duplicates: allow") != first


def test_who_looks_things_up_in_what() -> None:
    derived = "derive: {device: users.device, other: \"device || 'x'\"}\n"
    plan = compiled(event("other = 'x' and known(limits)"), more=derived)
    assert plan.event_rules[0].references == ("limits", "users")
    rule = compiled(window("count(*) filter (where known(users)) > limits.most")).rules[0]
    assert rule.references == ("limits", "users")
    assert [join.reference.name for join in rule.joins] == ["limits"]
    assert rule.joins[0].listed == (0,)
    assert rule.columns == ("limits_most", "count_known_users")
    assert rule.early is not None
    assert not rule.early.ok
