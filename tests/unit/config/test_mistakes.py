"""Each mistake is told once, at its place (marked by § in the text), in words for a person."""

import pytest
from tests.unit.config.pipelines import pipeline, problems, read

from tailrace.errors import Where

KEYS = [
    ("the key 'name' is missing", "for example name: nginx", {"name": None}),
    ("unknown key 'achive'", "did you mean 'archive'?", {"x": "§achive: {to: rows}"}),
    (
        "time: unknown key 'grase'",
        "did you mean 'grace'?",
        {"time": "time: {field: timestamp, §grase: 5s}"},
    ),
    ("time: the key 'field' is missing", "for example field: timestamp", {"time": "§time: {}"}),
    (
        "the key 'fields' is missing",
        "for example fields: {client_ip: text, status: integer}",
        {"fields": None},
    ),
    ("unknown key 'where'", "each rule has its own 'where'", {"x": "§where: status > 400"}),
    (
        "time: expected a mapping (keys with values), found 'timestamp'",
        None,
        {"time": "time: §timestamp"},
    ),
    (
        "the pipeline does nothing: no rules, no archive",
        "add rules, or an archive that keeps the events",
        {"rules": None},
    ),
]
VALUES = [
    (
        "name: 'my web' is not a name",
        "a name has letters, digits, '_' and '-'",
        {"name": "name: §my web"},
    ),
    ("name: expected text, found nothing", None, {"name": "name: §~"}),
    (
        "name: expected text, found a list",
        "text that begins with '{' or '[' needs quotes",
        {"name": "name: §[a]"},
    ),
    (
        "limits.max_keys: expected a whole number, found 'many'",
        None,
        {"x": "limits: {max_keys: §many}"},
    ),
    (
        "limits.max_keys: expected a whole number, found '1:30'",
        None,
        {"x": "limits: {max_keys: §1:30}"},
    ),
    (
        "limits.max_keys: expected a whole number, found nothing",
        None,
        {"x": "limits:\n  max_keys:§\n"},
    ),
    ("limits.max_keys: expected at least 1, found 0", None, {"x": "limits: {max_keys: §0}"}),
    (
        "limits.max_record_bytes: expected a size such as 512KiB or 1MiB, found '1 MiBs'",
        "units: kB MB GB, KiB MiB GiB",
        {"x": "limits: {max_record_bytes: §1 MiBs}"},
    ),
    (
        "source.file.follow: expected true or false, found 'maybe'",
        None,
        {"source": "source: {file: {path: a.log, follow: §maybe}}"},
    ),
    (
        "time.grace: expected a duration such as 20s, 5m or 1h30m, found '5'",
        "with its unit: 5s",
        {"time": "time: {field: timestamp, grace: §5}"},
    ),
    (
        "time.idle_after: expected a duration above 0",
        None,
        {"time": "time: {field: timestamp, idle_after: §0s}"},
    ),
    (
        "time.format: times of the form 'syslog' have no year",
        "name the year of the records: year: 2022",
        {"time": "time: {field: timestamp, format: §syslog}"},
    ),
    (
        "time.year: 'year' is for the format 'syslog' only",
        None,
        {"time": "time: {field: timestamp, §year: 2022}"},
    ),
    (
        "time.year: expected a year up to 9999, found 20220",
        None,
        {"time": "time: {field: timestamp, format: syslog, year: §20220}"},
    ),
    (
        "time.zone: 'Europe/Madird' is not a time zone",
        "did you mean 'Europe/Madrid'?",
        {"time": "time: {field: timestamp, zone: §Europe/Madird}"},
    ),
    (
        "time.zone: '../etc/passwd' is not a time zone",
        "a name of the IANA time zone database, such as UTC or Europe/Madrid",
        {"time": "time: {field: timestamp, zone: §../etc/passwd}"},
    ),
    (
        (
            "time.format: expected auto, epoch, epoch_ms, iso, datetime, time_local or syslog,"
            " found 'epochs'"
        ),
        "did you mean 'epoch'?",
        {"time": "time: {field: timestamp, format: §epochs}"},
    ),
]
SOURCES = [
    (
        "source: no kind of source is given",
        "for example file: {...} or folder: {...} or stdin: {...}",
        {"source": "§source: {}"},
    ),
    (
        "source.folder: 'folder' beside 'file': each source is of one kind",
        "remove one of them",
        {"source": "source: {file: {path: a.log}, §folder: {path: b}}"},
    ),
    (
        "source: unknown key 'fil'",
        "did you mean 'file'?",
        {"source": "source: {file: {path: a.log}, §fil: {path: b}}"},
    ),
    (
        "source: expected a mapping with the kind of source, found 'access.log'",
        "for example source: {file: {path: access.log}}",
        {"source": "source: §access.log"},
    ),
    (
        "source.file: the key 'path' is missing",
        "for example path: /var/log/nginx/access.log",
        {"source": "source: {§file: {follow: true}}"},
    ),
    (
        "source.file.path: expected a text or a list of texts, found a list",
        "the list is empty",
        {"source": "source: {file: {path: §[]}}"},
    ),
    (
        "source.file.path.1: expected text, found nothing",
        None,
        {"source": "source: {file: {path: [a, §~]}}"},
    ),
    (
        (
            "source.file.fields: not a regular expression: missing ), unterminated subpattern at"
            " position 0"
        ),
        None,
        {"source": "source: {file: {path: a.log, fields: §'(a'}}"},
    ),
    (
        "source.file.fields: the expression names no field",
        "name a group: (?P<host>[^/]+)",
        {"source": "source: {file: {path: a.log, fields: §'(a)'}}"},
    ),
    ("format: 'jsn' is not a format", "did you mean 'json'?", {"x": "format: §jsn"}),
    (
        "format: the mapping is of no known format",
        (
            "{log_format: '...'}, {csv: {...}}, {json: {...}}, or one of"
            " json, combined, common, csv, plain"
        ),
        {"x": "format: §{xml: {}}"},
    ),
    (
        "format.log_format: the format has no $variable",
        "nginx's own text, for example '$remote_addr [$time_local] $status'",
        {"x": "format: {log_format: §combined}"},
    ),
    (
        r"format.csv.delimiter: expected one ASCII character, found '\t\t'",
        'for tabs write "\\t" in quotes',
        {"x": 'format: {csv: {delimiter: §"\\t\\t"}}'},
    ),
    (
        "format.csv: without a header, 'columns' must name the columns",
        None,
        {"x": "format: {§csv: {header: no}}"},
    ),
    (
        "format.csv.columns.1: the column 'timestamp' is there twice",
        None,
        {
            "x": "format: {csv: {columns: [timestamp, §timestamp, host]}}",
            "fields": "fields: {host: text}",
        },
    ),
    (
        "time.field: the CSV format has no column 'timestamp'",
        "did you mean 'timestmp'?",
        {
            "x": "format: {csv: {columns: [timestmp, host]}}",
            "time": "time: {field: §timestamp}",
            "fields": "fields: {host: text}",
        },
    ),
    (
        "fields.ip: the CSV format has no column 'ip'",
        "columns: timestamp, host",
        {"x": "format: {csv: {columns: [timestamp, host]}}", "fields": "fields: {§ip: text}"},
    ),
]
FIELDS = [
    ("fields: no field is declared", "for example client_ip: text", {"fields": "fields: §{}"}),
    (
        "fields.status: 'int' is not a type",
        "did you mean 'integer'?",
        {"fields": "fields: {status: §int}"},
    ),
    (
        "fields.status: 'blob' is not a type",
        "types: text, integer, double, boolean, time",
        {"fields": "fields: {status: §blob}"},
    ),
    (
        "fields.client ip: 'client ip' is not a name",
        "a name has letters, digits and '_', and begins with a letter or '_'",
        {"fields": "fields: {§client ip: text}"},
    ),
    (
        "fields.host: unknown key 'name'",
        "the field's name is its key; the source key is 'from'",
        {"fields": "fields: {host: {type: text, §name: h}}"},
    ),
    (
        "fields.host.min: 'min' is for numbers, not for text",
        None,
        {"fields": "fields: {host: {type: text, §min: 1}}"},
    ),
    (
        "fields.n.min: expected a whole number, found 0.5",
        None,
        {"fields": "fields: {n: {type: integer, min: §0.5}}"},
    ),
    (
        "fields.n.min: expected a number, found 'nan'",
        None,
        {"fields": "fields: {n: {type: double, min: §nan}}"},
    ),
    (
        "fields.n.min: expected a finite number",
        None,
        {"fields": "fields: {n: {type: double, min: §1e999}}"},
    ),
    (
        "fields.n.max: max 1 is below min 2",
        None,
        {"fields": "fields: {n: {type: integer, min: 2, max: §1}}"},
    ),
    (
        "fields.Host: 'Host' and 'host' differ only in upper and lower case",
        "expressions don't tell them apart; rename one (and give 'from')",
        {"fields": "fields: {host: text, §Host: text}"},
    ),
    (
        "derive.host: 'host' is a field of the record already",
        "a derived field has its own name",
        {"x": "derive: {§host: lower(host)}"},
    ),
    (
        "dedup.by: there is no field 'hots'",
        "did you mean 'host'?",
        {"x": "dedup: {by: §hots, within: 10m}"},
    ),
    (
        "fields.vhost: the field 'vhost' comes from the path already (source.file.fields)",
        None,
        {
            "source": "source: {file: {path: a.log, fields: '(?P<vhost>.)'}}",
            "fields": "fields: {§vhost: text}",
        },
    ),
]
RULE = "begin the rule with '- alert: NAME', '- record: NAME' or '- classify: NAME'"
RULES = [
    (
        "rules.0: the rule has neither 'alert' nor 'record' nor 'classify'",
        RULE,
        {"rules": "rules: [§{name: flood}]"},
    ),
    ("rules.0: expected a rule, found 'flood'", RULE, {"rules": "rules: [§flood]"}),
    (
        "rules.a: a rule is one of alert, record, not all",
        "make two rules of it",
        {"rules": "rules: [§{alert: a, record: b}]"},
    ),
    (
        "rules.s: the key 'else' is missing",
        "for example else: good",
        {"rules": "rules: [§{classify: s, labels: {bad: {x: status > 1}}}]"},
    ),
    (
        "rules.s.labels: there is no label",
        "labels: {bad: {no_id: id is null}}",
        {"rules": "rules: [{classify: s, labels: §{}, else: good}]"},
    ),
    (
        "rules.s.labels.bad: the label 'bad' has no condition",
        None,
        {"rules": "rules: [{classify: s, labels: {bad: §{}}, else: good}]"},
    ),
    (
        "rules.s.labels.b.x: the code 'x' stands below 'a', too",
        "reasons name codes without their labels",
        {
            "rules": "rules:\n- classify: s\n  else: good\n  labels:\n"
            "    a: {x: status > 1}\n    b: {§x: status > 2}\n"
        },
    ),
    (
        "rules.s.else: 'bad' has conditions already",
        "name another label for all others",
        {"rules": "rules: [{classify: s, labels: {bad: {x: status > 1}}, else: §bad}]"},
    ),
    (
        "rules.s.to_label.bat: there is no label 'bat'",
        "did you mean 'bad'?",
        {
            "rules": "rules: [{classify: s, labels: {bad: {x: status > 1}}, else: good,"
            " to_label: {§bat: rows}}]"
        },
    ),
    (
        "rules.s.to_label.bad: the output 'rows' gets all events already ('to')",
        None,
        {
            "rules": "rules: [{classify: s, labels: {bad: {x: status > 1}}, else: good,"
            " to: rows, to_label: {bad: §rows}}]"
        },
    ),
    (
        "rules.s.to_label.bad: there is no output 'row'",
        "did you mean 'rows'?",
        {
            "rules": "rules: [{classify: s, labels: {bad: {x: status > 1}}, else: good,"
            " to_label: {bad: §row}}]"
        },
    ),
    (
        "rules.s: unknown key 'by'",
        "each event is classified by itself; count labels in a rule below",
        {"rules": "rules: [{classify: s, §by: host, labels: {bad: {x: status > 1}}, else: good}]"},
    ),
    ("rules: expected a list, found a mapping", None, {"rules": "rules: §{alert: a}"}),
    (
        "rules.a: the key 'when' is missing",
        "for example when: count(*) > 10",
        {"rules": "rules: [§{alert: a, window: 1m}]"},
    ),
    (
        "rules.a: unknown key 'expr'",
        "the condition is called 'when'",
        {"rules": "rules: [{alert: a, when: b, §expr: c}]"},
    ),
    (
        "rules.a: unknown key 'for'",
        "only alerts have 'for'",
        {"rules": "rules: [{record: a, window: 1m, select: {n: count(*)}, §for: 1m}]"},
    ),
    (
        (
            "rules.a.window: every 1m is longer than the size 20s: events would be lost, found"
            " '20s every 1m'"
        ),
        (
            "a window is 'SIZE', 'SIZE every EVERY' or 'SIZE sliding', for example 1m, 20s every 1s"
            " or 20s sliding"
        ),
        {"rules": "rules: [{alert: a, window: §20s every 1m, when: x}]"},
    ),
    (
        "rules.a.window: a window's size and every must be above 0, found '20s every 0s'",
        (
            "a window is 'SIZE', 'SIZE every EVERY' or 'SIZE sliding', for example 1m, 20s every 1s"
            " or 20s sliding"
        ),
        {"rules": "rules: [{alert: a, window: §20s every 0s, when: x}]"},
    ),
    (
        "rules.a: the key 'window' is missing",
        "for example window: 1m",
        {"rules": "rules: [§{record: a, select: {n: count(*)}}]"},
    ),
    (
        "rules.a.select: nothing is selected",
        "for example mean: avg(bytes)",
        {"rules": "rules: [{record: a, window: 1m, select: §{}}]"},
    ),
    (
        "rules.a.for: 'for' needs a window; an alert on single events has no duration",
        "add for example window: 1m",
        {"rules": "rules: [{alert: a, §for: 1m, when: x}]"},
    ),
    (
        "rules.a.by: 'by' needs a window; without one each event is judged by itself",
        "add for example window: 1m",
        {"rules": "rules: [{alert: a, §by: host, when: x}]"},
    ),
    (
        (
            "rules.a.by: expected a field, an expression, a list or a mapping of them, found an"
            " empty list"
        ),
        None,
        {"rules": "rules: [{alert: a, window: 1m, by: §[], when: x}]"},
    ),
    (
        "rules.a.by.1: 'host' is twice in the key",
        None,
        {"rules": "rules: [{alert: a, window: 1m, by: [host, §host], when: x}]"},
    ),
    (
        "rules.a.by.my net: 'my net' is not a name",
        "a name has letters, digits and '_', and begins with a letter or '_'",
        {"rules": "rules: [{alert: a, window: 1m, by: {§my net: host}, when: x}]"},
    ),
    (
        "rules.a.by.end: the name 'end' is taken in every row",
        "give it a name of its own: by: {my_end: host}",
        {"rules": "rules: [{alert: a, window: 1m, by: {end: §host}, when: x}]"},
    ),
    (
        "rules.a.select.host: 'host' is a key field already",
        None,
        {"rules": "rules: [{record: a, window: 1m, by: host, select: {§host: count(*)}}]"},
    ),
    (
        "rules.flood.alert: the name 'flood' is taken by rule 1 of this file",
        "each rule has a name of its own",
        {"rules": "rules: [{alert: flood, when: a}, {alert: §flood, when: b}]"},
    ),
    (
        "rules.a.annotations.summary: expected text, found a mapping",
        "text that begins with '{' or '[' needs quotes",
        {"rules": "rules: [{alert: a, when: x, annotations: {summary: §{host}}}]"},
    ),
]
OUTPUTS = [
    (
        "rules.a.to: there is no output 'alert'",
        "did you mean 'alerts'?",
        {"rules": "rules: [{alert: a, when: x, to: §alert}]"},
    ),
    (
        "archive.to.1: the output 'rows' is named twice",
        None,
        {"x": "archive: {to: [rows, §rows]}"},
    ),
    (
        "archive.to: there is no output 'rows'",
        "the file has no 'outputs'",
        {"x": "archive: {to: §rows}", "outputs": None},
    ),
    (
        "outputs.alerts.rows: expected incidents or windows, found 'window'",
        "did you mean 'windows'?",
        {"outputs": "outputs: {alerts: {rows: §window, terminal: {}}}"},
    ),
    (
        "outputs.alerts: no kind of output is given",
        "for example file: {...} or terminal: {...} or table: {...}",
        {"outputs": "outputs: {§alerts: {}}"},
    ),
    (
        "outputs.alerts.file.path: the ending '.txt' names no format",
        "add format: ndjson or format: parquet",
        {"outputs": "outputs: {alerts: {file: {path: §a.txt}}}"},
    ),
    (
        "outputs.alerts.table.name: the table 'Incidents' is the store's own",
        (
            "take another name; incidents, dead_letters, refused, verdicts are taken, "
            "and what begins with tailrace_, panes_, side_"
        ),
        {"outputs": "outputs: {alerts: {table: {name: §Incidents}}}"},
    ),
    (
        "outputs.b.file.path: the output 'a' writes to 'out.json' already",
        None,
        {"outputs": "outputs: {a: {file: {path: out.json}}, b: {file: {path: §out.json}}}"},
    ),
    (
        "outputs.a.file.path: the source reads 'x.json': its own output would come in again",
        None,
        {
            "source": "source: {file: {path: '*.json'}}",
            "outputs": "outputs: {a: {file: {path: §x.json}}}",
        },
    ),
    (
        "rules.a.to: the output 'alerts' takes rows of windows, and the alert has none",
        "remove 'rows: windows' or add a window",
        {
            "rules": "rules: [{alert: a, when: x, to: §alerts}]",
            "outputs": "outputs: {alerts: {terminal: {}, rows: windows}}",
        },
    ),
    (
        "archive.to: the output 'alerts' takes rows of windows, and an archive has none",
        "remove 'rows: windows'",
        {
            "x": "archive: {to: §alerts}",
            "outputs": "outputs: {alerts: {terminal: {}, rows: windows}}",
        },
    ),
]


@pytest.mark.parametrize(
    ("message", "hint", "sections"),
    [*KEYS, *VALUES, *SOURCES, *FIELDS, *RULES, *OUTPUTS],
)
def test_mistake(message: str, hint: str | None, sections: dict[str, str | None]) -> None:
    marked = pipeline(**sections)
    before = marked.partition("§")[0] if "§" in marked else ""
    place = Where("p.yaml", before.count("\n") + 1, len(before) - before.rfind("\n"))
    (problem,) = problems(marked.replace("§", ""))
    assert (problem.message, problem.hint, problem.where) == (message, hint, place)


def test_the_base_is_right() -> None:
    assert read(pipeline()).config.name == "web"
