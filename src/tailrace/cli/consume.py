"""``tailrace consume``: the messages of a Kafka topic, as lines that a terminal can bear."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import TYPE_CHECKING

import click

from tailrace.cli.printable import one_line
from tailrace.cli.stopping import collected_signals

if TYPE_CHECKING:
    from confluent_kafka import Message

_EPILOG = """\
\b
Examples:
  tailrace consume goal1-topic
  tailrace consume test-inter --from-beginning --max 5
  tailrace consume goal4-topic --from-beginning --until-end --output json | jq .value
  tailrace consume alerts --brokers kafka-1:9093 --option security.protocol=SSL
"""


@click.command("consume", epilog=_EPILOG)
@click.argument("topic")
@click.option(
    "--brokers",
    default="localhost:9092",
    envvar="TAILRACE_KAFKA",
    show_default=True,
    show_envvar=True,
    metavar="HOST:PORT",
    help="Addresses of brokers, with commas.",
)
@click.option("--from-beginning", is_flag=True, help="From the first message, not from now on.")
@click.option("--until-end", is_flag=True, help="Only what is there now.")
@click.option("--max", "most", type=click.IntRange(min=1), metavar="N", help="Stop after so many.")
@click.option(
    "--output",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="json: an object for each message, one a line.",
)
@click.option(
    "--option",
    "options",
    multiple=True,
    metavar="NAME=VALUE",
    help="An option of librdkafka, such as sasl.username. Repeatable.",
)
def command(
    topic: str,
    brokers: str,
    most: int | None,
    output: str,
    options: tuple[str, ...],
    *,
    from_beginning: bool,
    until_end: bool,
) -> None:
    """Show the messages of TOPIC, those of committed transactions, until Ctrl-C.

    A line has the partition and offset, the time (UTC), the key and the value. TOPIC may be a
    regular expression that begins with '^'. No consumer group is joined and no position is kept.
    """
    from tailrace.config import KafkaSource
    from tailrace.sources.kafka.client import missing_library
    from tailrace.sources.kafka.looking import looked_at

    if find_spec("confluent_kafka") is None:
        raise missing_library()

    config = KafkaSource(brokers=(brokers,), topics=(topic,), options=settings(options))
    shown = document if output == "json" else line
    left = most
    with collected_signals() as signals:
        for batch in looked_at(
            config,
            from_beginning=from_beginning,
            until_end=until_end,
            stopped=lambda: bool(signals),
        ):
            for message in batch[:left]:
                click.echo(shown(message))
            if left is not None:
                left -= len(batch)
                if left <= 0:
                    return


def settings(options: tuple[str, ...]) -> dict[str, str]:
    """``NAME=VALUE`` texts as a mapping; a usage error for any other."""
    found = {}
    for option in options:
        name, equals, value = option.partition("=")
        if not equals or not name:
            raise click.BadParameter(
                f"expected NAME=VALUE, found {option!r}", param_hint="--option"
            )
        found[name] = value
    return found


def line(message: Message[bytes, bytes]) -> str:
    """A message as one line of text without anything that a terminal would obey."""
    key, value = message.key(), message.value()
    parts = [
        f"{message.topic()}/{message.partition()}:{message.offset()}",
        _time(message) or "-",
        "-" if key is None else _shown(key),
        "(no value)" if value is None else _shown(value),
    ]
    return " ".join(parts)


def document(message: Message[bytes, bytes]) -> str:
    """A message as a JSON object; bytes that are not UTF-8 are in ``..._base64``."""
    found: dict[str, object] = {
        "topic": message.topic(),
        "partition": message.partition(),
        "offset": message.offset(),
        "time": _time(message),
    }
    for name, data in (("key", message.key()), ("value", message.value())):
        try:
            found[name] = None if data is None else data.decode()
        except UnicodeDecodeError:
            found[f"{name}_base64"] = base64.b64encode(data or b"").decode()
    headers = message.headers()
    if isinstance(headers, list):
        found["headers"] = {
            name: value.decode(errors="replace") if isinstance(value, bytes) else value
            for name, value in headers
        }
    return json.dumps(found)


def _shown(data: bytes) -> str:
    return one_line(data.decode(errors="backslashreplace"))


def _time(message: Message[bytes, bytes]) -> str | None:
    milliseconds = message.timestamp()[1]
    if milliseconds < 0:
        return None
    at = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return at.isoformat(timespec="milliseconds").replace("+00:00", "Z")
