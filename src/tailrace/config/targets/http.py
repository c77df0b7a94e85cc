"""Who is called over HTTP with what there is to tell: any service, or an Alertmanager."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, ClassVar, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from tailrace.config.base import Given
from tailrace.config.complaints import Complaint, Path, refusal
from tailrace.config.scalars import Count, Filled, PositiveSpan, Text
from tailrace.config.targets.body import Body, leaves, template_of
from tailrace.config.targets.target import Target, TemplateText, server_of
from tailrace.config.targets.tls import TlsSettings
from tailrace.config.units import Duration

LONGEST_TIMEOUT = 30_000_000
MOST_IN_A_BATCH = 10_000

_EXAMPLE = "for example https://hooks.example.org/alerts"
_OWN = ("host", "content-length", "transfer-encoding", "connection", "idempotency-key")
_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - HTTP's word for the characters of a name


def _url(url: str) -> str:
    # The text isn't shown: a secret may be in it.
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise refusal("this is not the address of a service", _EXAMPLE) from None
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0:
        raise refusal("this is not the address of a service", _EXAMPLE)
    if re.search(r"[\s\x00-\x20\x7f]", url) or parts.fragment:
        raise refusal("an address has no blanks and no '#'", _EXAMPLE)
    if parts.username is not None or parts.password is not None:
        raise refusal("name and password don't belong into the address", "see 'username'")
    return url


def sendable(headers: Mapping[str, str]) -> Mapping[str, str]:
    """Headers that a request can have; the refusal of others never shows a value."""
    for name, value in headers.items():
        if re.fullmatch(_TOKEN, name) is None:
            raise refusal("a header's name has letters, digits and '-'")
        if name.lower() in _OWN:
            raise refusal(f"the header {name} is not yours to set")
        if re.search(r"[\x00-\x08\x0a-\x1f\x7f]", value):
            raise refusal(f"the value of the header {name} has control characters in it")
        if not value.isascii():
            raise refusal(f"the value of the header {name} is not ASCII")
    return headers


def _token(token: str) -> str:
    if re.fullmatch(r"[\x21-\x7e]*", token) is None:
        raise refusal("the token has characters that a header can't have")
    return token


def _timeout(value: Duration) -> Duration:
    if value > LONGEST_TIMEOUT:
        raise refusal("expected 30s at most: a stop waits for a call")
    return value


Url = Annotated[Filled, AfterValidator(_url)]


class HttpTarget(Target):
    """A service that is called over HTTP: who calls, how long is waited."""

    headers: Annotated[Mapping[Filled, Text], AfterValidator(sendable)] = Field(
        default={},
        description="Further headers of each request.",
        examples=[{"X-Api-Key": "${API_KEY}"}],
    )
    username: Text = Field(default="", description="The user, for basic authentication.")
    password: Text = Field(
        default="", description="The user's password.", examples=["${HOOK_PASSWORD}"]
    )
    token: Annotated[Text, AfterValidator(_token)] = Field(
        default="",
        description="A token, sent as `Authorization: Bearer ...`.",
        examples=["${HOOK_TOKEN}"],
    )
    timeout: Annotated[PositiveSpan, AfterValidator(_timeout)] = Field(
        default=Duration("10s"), description="How long an answer is waited for, 30s at most."
    )
    tls: TlsSettings = Field(default=TlsSettings(), description="TLS, for `https://`.")

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """One way to say who calls."""
        if given.get("token") and given.get("username"):
            yield Complaint(("token",), "there is a user already", "give one of both", at_key=True)
        if given.get("password") and "username" not in given:
            yield Complaint(("password",), "a password without its user", "add 'username'")
        headers = given.get("headers")
        for name in headers if isinstance(headers, Mapping) else ():
            named = given.get("token") or given.get("username")
            if str(name).lower() == "authorization" and named:
                message = "'token' or 'username' make this header already"
                yield Complaint(("headers", str(name)), message, at_key=True)

    @property
    def addressed(self) -> bool:
        """Rows have an id and a time."""
        return True


class WebhookOutput(HttpTarget):
    """A POST for each row, or for several, at least once; ids tell repetitions.

    Each request has the header `Idempotency-Key`, the same when it is repeated, and one with a
    single row `X-Tailrace-Id`. Answers 2xx confirm. What is down (no connection, 408, 425, 429,
    5xx; `Retry-After` is heeded, up to five minutes) or doesn't let us in (3xx, 401, 403, 404, 405,
    407) is tried again until it takes the rows; any other 4xx refuses them, and refused rows are
    kept in the store. Redirects are not followed.
    """

    kind: ClassVar[str] = "webhook"

    elsewhere: ClassVar[Mapping[str, str]] = {
        "method": "it is always POST",
        "template": "did you mean 'body'?",
        "verify": "write tls: {verify: ...}",
        "retries": "rows are sent again until they are taken or refused",
    }

    url: Url = Field(description="Where to.", examples=["https://hooks.example.org/${HOOK_TOKEN}"])
    body: Body | None = Field(
        default=None,
        description=(
            "What is sent of a row. A mapping or list becomes JSON; its texts are templates, and"
            " what they show is escaped. A text is a template, sent as plain text. By default the"
            " row as JSON, windows and archived events with their `id` (`_id` if there is a field"
            " of that name)."
        ),
        examples=[{"text": "{client_ip} made {count} requests"}],
    )
    batch: Count = Field(
        default=1,
        description="How many rows a request has at most, 10000 at most.",
        examples=[100],
    )
    format: Literal["array", "ndjson"] = Field(
        default="array",
        description="With `batch` above 1: rows as one JSON array, or as JSON lines.",
    )

    @classmethod
    def complaints(cls, given: Given) -> Iterator[Complaint]:
        """Bodies, batches and content types that fit together."""
        yield from super().complaints(given)
        batch = str(given.get("batch", 1)).strip()
        several = batch.isdigit() and int(batch) > 1
        if batch.isdigit() and int(batch) > MOST_IN_A_BATCH:
            yield Complaint(("batch",), f"expected {MOST_IN_A_BATCH} at most, found {batch}")
        if "format" in given and not several:
            yield Complaint(("format",), "requests have one row: 'batch' is 1", at_key=True)
        if isinstance(given.get("body"), str):
            if several:
                hint = "write the body as a mapping, or leave 'batch' out"
                yield Complaint(("batch",), "plain text can't be sent in batches", hint)
            headers = given.get("headers")
            for name, value in headers.items() if isinstance(headers, Mapping) else ():
                if str(name).lower() == "content-type" and "json" in str(value).lower():
                    message = "values are not escaped in a text"
                    hint = "write JSON as a mapping: body: {text: '{client_ip} ...'}"
                    yield Complaint(("body",), message, hint)

    @property
    def told(self) -> str:
        """The server."""
        return f"{self.kind} at {server_of(self.url)}"

    @property
    def templates(self) -> Mapping[str, str]:
        """The body, as one template."""
        return {} if self.body is None else {"body": template_of(self.body)}

    @property
    def json_templates(self) -> frozenset[str]:
        """The body, unless it is plain text."""
        return frozenset(() if isinstance(self.body, str) else self.templates)

    @property
    def places(self) -> Iterator[tuple[Path, str]]:
        """The body's texts, each where it stands."""
        if self.body is not None:
            yield from leaves(self.body, ("body",))


class AlertmanagerOutput(HttpTarget):
    """Incidents as alerts of a Prometheus Alertmanager, which groups, routes and silences them.

    An alert has the labels `alertname` (the rule), `pipeline`, the key's fields and the rule's
    labels, the annotations of the rule, `startsAt` when the incident opened and `endsAt` when it
    was resolved. What is firing is sent again every `resend_every`, because Alertmanager takes an
    alert that nobody repeats for resolved: after four times as long, should Tailrace be stopped.
    """

    kind: ClassVar[str] = "alertmanager"

    elsewhere: ClassVar[Mapping[str, str]] = {
        "verify": "write tls: {verify: ...}",
        "annotations": "the rule has them",
    }

    url: Url = Field(
        default="http://localhost:9093",
        description="Where it is, with the prefix of its paths if it has one.",
    )
    labels: Mapping[Filled, Text] = Field(
        default={},
        description="Further labels of every alert; those of the rule come first.",
        examples=[{"environment": "production"}],
    )
    generator_url: TemplateText | None = Field(
        default=None,
        description="The address behind the alert's link 'Source'.",
        examples=["https://grafana.example.org/d/nginx?var-client={client_ip}"],
    )
    resend_every: PositiveSpan = Field(
        default=Duration("1m"), description="How often firing alerts are sent again."
    )
    max_firing: Count = Field(
        default=1000,
        description=(
            "Of how many firing incidents the state is kept, to send them again also after a"
            " restart. Those beyond are sent once, to end in a day if they aren't resolved before."
        ),
    )

    @property
    def told(self) -> str:
        """The server."""
        return f"{self.kind} at {server_of(self.url)}"

    @property
    def templates(self) -> Mapping[str, str]:
        """The link."""
        return {} if self.generator_url is None else {"generator_url": self.generator_url}
