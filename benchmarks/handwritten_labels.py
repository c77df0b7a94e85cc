"""examples/server-logs as one would write it without Tailrace: a script of DuckDB statements.

Each record labelled, with its reasons, then all of them as lines of JSON in a file that is synced,
and those of each label in a table of a database. Left out, to its favour: following a file that
grows, a crash half way, records that are late, counts by minute; a record that is no JSON stops it
only from having fields.
"""

from __future__ import annotations

import os
from pathlib import Path

import duckdb
from measuring import CORES, Stopwatch, Timing, working_folder

_TYPES = (
    "'click', 'purchase', 'login', 'log-out', 'delete-account', 'create-account',"
    " 'update-settings', 'other'"
)
_COUNTRIES = (
    "'US', 'IN', 'UK', 'CA', 'AU', 'DE', 'ES', 'FR', 'NL', 'SG', 'RU', 'JP', 'BR', 'CN', 'OT'"
)
_BAD = {
    "unreadable": "_error is not null",
    "bad_timestamp": "event_timestamp is null or length(timestamp_text) < 10",
    "bad_event_id": "event_id is null or length(event_id) <> 32",
    "bad_account": "account is null or account > 10000",
    "bad_type": f"event_type is null or event_type not in ({_TYPES})",
    "bad_device": "device is null or device not in ('ANDROID', 'IOS')",
    "bad_country": f"location_country is null or location_country not in ({_COUNTRIES})",
}
_SUSPICIOUS = {
    "unknown_account": "not known_account",
    "other_device": "known_account and not known_device",
}
_STRUCTURE = (
    '{"event_id":"VARCHAR","account_id":"VARCHAR","event_type":"VARCHAR","device":"VARCHAR",'
    '"location_country":"VARCHAR","event_timestamp":"VARCHAR"}'
)
_CONDITIONS = ", ".join(f"{test} as {code}" for code, test in (_BAD | _SUSPICIOUS).items())
_REASONS = ", ".join(f"case when {code} then '{code}' end" for code in _BAD | _SUSPICIOUS)
_LABELLED = f"""
create temp table labelled as
with records as (
  select line as raw, json_valid(line) as ok
  from read_csv(?, columns = {{'line': 'VARCHAR'}}, delim = '', quote = '', escape = '',
                header = false, auto_detect = false)),
parsed as (
  select raw, ok, case when ok then json_transform(raw, '{_STRUCTURE}') end as r from records),
fields as (
  select make_timestamptz(try_cast(r.event_timestamp as bigint) * 1000000) as event_timestamp,
    r.event_id, r.account_id, r.event_type, r.device, r.location_country,
    r.event_timestamp as timestamp_text, raw as _raw,
    case when not ok then 'malformed_json' end as _error,
    case when regexp_matches(r.account_id, '^-?[0-9]{{1,18}}$')
      then try_cast(r.account_id as bigint) end as account
  from parsed),
known as (
  select f.*, exists(select 1 from users u where u.account_id = f.account_id) as known_account,
    exists(select 1 from users u where u.account_id = f.account_id and u.device = f.device)
      as known_device
  from fields f),
judged as (select *, {_CONDITIONS} from known)
select event_timestamp, event_id, account_id, event_type, device, location_country, timestamp_text,
  _raw, _error, account,
  case when {" or ".join(_BAD)} then 'bad' when {" or ".join(_SUSPICIOUS)} then 'suspicious'
    else 'good' end as status,
  nullif(concat_ws(',', {_REASONS}), '') as status_reasons
from judged
"""


def handwritten(log: Path, users: Path) -> tuple[Timing, dict[str, int]]:
    """Run the script; what it took, and how many records got which label."""
    with (
        working_folder() as folder,
        duckdb.connect(str(folder / "logs.duckdb"), config={"threads": CORES}) as connection,
    ):
        watch = Stopwatch()
        connection.execute("set TimeZone = 'UTC'")
        connection.execute(
            "create temp table users as from read_csv(?, all_varchar = true)", [str(users)]
        )
        connection.execute(_LABELLED, [str(log)])
        lines = folder / "status.ndjson"
        connection.execute(f"copy labelled to '{lines}' (format json)")
        with lines.open("rb") as file:
            os.fsync(file.fileno())
        for label in ("good", "suspicious", "bad"):
            connection.execute(
                f"create table {label}_logs as from labelled where status = '{label}'"
            )
        connection.execute("checkpoint")
        timing = watch.stop()
        found = connection.execute("select status, count(*) from labelled group by all").fetchall()
        return timing, dict(found)
