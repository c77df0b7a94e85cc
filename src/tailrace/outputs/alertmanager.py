"""Incidents as alerts of a Prometheus Alertmanager (version 2 of its interface).

An alert is known by its labels, and ends by itself when nobody repeats it. So what fires is sent
again and again, from the labels with which it was opened; the state that is stored with each
confirmation has them, so that a restart goes on with it. What it says can be said twice: the last
word counts.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, cast

from tailrace.errors import OutputError
from tailrace.outputs.batches import Content
from tailrace.outputs.extras import extra
from tailrace.outputs.output import Receipt, Refused, State

if TYPE_CHECKING:
    from tailrace.config.outputs import Output as OutputConfig
    from tailrace.config.targets.http import AlertmanagerOutput
    from tailrace.outputs.batches import OutboxBatch
    from tailrace.outputs.calling import Service
    from tailrace.outputs.making import OutputContext
    from tailrace.outputs.output import Output

Alert = dict[str, object]
"""``startsAt``, ``labels``, ``annotations``, ``generatorURL``; without its end."""

ALERTS = "/api/v2/alerts"
STATUS = "/api/v2/status"
AT_ONCE = 500
"""Alerts in a request."""

PATIENCE = 4
"""After so many times ``resend_every`` without a word an alert ends by itself."""

UNKEPT = timedelta(days=1)


def make(name: str, config: OutputConfig, context: OutputContext) -> Output:
    """The output called ``name``, not yet open; OutputError if the library is missing."""
    del name, context
    extra("http", "urllib3")
    from tailrace.outputs.calling import Service

    options = config.alertmanager
    assert options is not None  # noqa: S101 - that is why it is made here
    return Alertmanager(options, Service(options.url.rstrip("/"), options))


class Alertmanager:
    """Incidents as alerts. State: those that fire, by fingerprint, as many as are kept."""

    remote = True

    def __init__(
        self,
        options: AlertmanagerOutput,
        service: Service,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Call nothing yet."""
        self._options = options
        self._service = service
        self._clock = clock
        self._firing: dict[str, Alert] = {}
        self._due = 0.0
        self._lasting = timedelta(microseconds=PATIENCE * options.resend_every)

    def open(self, saved: State | None) -> State:
        """See ``Output.open``."""
        answer = self._service.greet("GET", STATUS)
        if not answer.taken:
            raise OutputError(
                f"{self._service.host} is no Alertmanager, or doesn't let us in: it answers"
                f" {answer}",
                hint="check 'url' (with the prefix of its paths), 'username' and 'token'",
            )
        if saved is not None:
            self._firing = dict(cast("Mapping[str, Alert]", saved.get("firing", {})))
        self._due = self._clock()
        return {"seq": -1, "firing": {}} if saved is None else saved

    def deliver(self, batch: OutboxBatch) -> Receipt:
        """See ``Output.deliver``: of each incident the last revision counts."""
        links = batch.texts("generator_url")
        now = datetime.now(UTC)
        firing = dict(self._firing)
        latest: dict[str, tuple[int, Alert]] = {}
        refused: list[Refused] = []
        for number, text in enumerate(batch.json):
            row = json.loads(text)
            alert = alert_of(row, self._options.labels, links[number] if links else None)
            if batch.content is Content.NOTICES:
                latest[row["id"]] = number, self._lasts(alert, now)
            elif batch.content is Content.INCIDENTS:
                print_ = row["fingerprint"]
                known = firing.get(print_) or (latest[print_][1] if print_ in latest else None)
                if known is not None:
                    alert |= {name: known[name] for name in ("labels", "startsAt")}
                latest[print_] = number, self._judged(firing, print_, alert, row, now)
            else:
                refused.append(Refused(number, "Alertmanager takes incidents alone"))
        refused += self._send(list(latest.values()))
        self._firing = firing
        return Receipt({"seq": batch.seq, "firing": firing}, tuple(refused))

    def renew(self) -> float | None:
        """See ``Renewing.renew``: alerts that fire are sent again."""
        if not self._firing:
            return None
        left = self._due - self._clock()
        if left > 0:
            return left
        now = datetime.now(UTC)
        self._send([(-1, self._lasts(alert, now)) for alert in self._firing.values()])
        again = self._options.resend_every / 1_000_000
        self._due = self._clock() + again
        return again

    def close(self) -> None:
        """See ``Output.close``."""
        self._service.close()

    def _judged(
        self,
        firing: dict[str, Alert],
        fingerprint: str,
        alert: Alert,
        row: Mapping[str, object],
        now: datetime,
    ) -> Alert:
        """The alert with its end; ``firing`` takes it up or forgets it."""
        if row["state"] == "resolved":
            firing.pop(fingerprint, None)
            resolved = min(_instant(row["resolved_at"]) or now, now)
            return alert | {"endsAt": _text(max(resolved, _instant(alert["startsAt"]) or now))}
        if row["reason"] == "input_ended":
            firing.pop(fingerprint, None)
            return self._lasts(alert, now)
        if fingerprint in firing or len(firing) < self._options.max_firing:
            firing[fingerprint] = alert
            return self._lasts(alert, now)
        return self._lasts(alert, now, UNKEPT)

    def _lasts(self, alert: Alert, now: datetime, lasting: timedelta | None = None) -> Alert:
        begin = max(now, _instant(alert["startsAt"]) or now)
        return alert | {"endsAt": _text(begin + (lasting or self._lasting))}

    def _send(self, alerts: Sequence[tuple[int, Alert]]) -> list[Refused]:
        """Send alerts of rows (by number); what is refused of several is sent again alone."""
        refused = []
        for start in range(0, len(alerts), AT_ONCE):
            some = alerts[start : start + AT_ONCE]
            answer = self._post(alert for _, alert in some)
            if answer is None:
                continue
            for number, alert in some:
                alone = self._post([alert]) if len(some) > 1 else answer
                if alone is not None:
                    refused.append(Refused(number, alone))
        return refused

    def _post(self, alerts: Iterable[Alert]) -> str | None:
        body = json.dumps(list(alerts), ensure_ascii=False).encode()
        answer = self._service.post(body, {"Content-Type": "application/json"}, ALERTS)
        return None if answer.taken else str(answer)


def alert_of(row: Mapping[str, object], further: Mapping[str, str], link: str | None) -> Alert:
    """What an incident's or notice's row says as an alert, but for its end."""
    window = cast("Mapping[str, str]", row["window"])
    own = {"alertname": row["rule"], "pipeline": row["pipeline"]}
    given = {**further, **_mapping(row["key"]), **_mapping(row["labels"]), **own}
    alert: Alert = {
        # A notice says that the window which starts then will fire.
        "startsAt": row.get("opened_at") or window["start"],
        "labels": _named({name: _plain(value) for name, value in given.items()}),
        "annotations": _named(
            {name: _plain(value) for name, value in _mapping(row.get("annotations")).items()}
        ),
    }
    if link is not None:
        alert["generatorURL"] = link
    return alert


def _mapping(value: object) -> Mapping[str, object]:
    return cast("Mapping[str, object]", value or {})


def _named(values: Mapping[str, str]) -> dict[str, str]:
    """The values under names that Prometheus allows; the last ones come first to theirs."""
    named: dict[str, str] = {}
    for name, value in reversed(list(values.items())):
        allowed = re.sub(r"[^A-Za-z0-9_]", "_", name)
        if not allowed or allowed[0].isdigit():
            allowed = f"_{allowed}"
        while allowed in named:
            allowed += "_"
        named[allowed] = value
    return named


def _plain(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _instant(text: object) -> datetime | None:
    return None if text is None else datetime.fromisoformat(str(text))


def _text(instant: datetime) -> str:
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
