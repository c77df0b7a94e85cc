"""Options that the commands of ``tailrace generate`` share."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Protocol, TypedDict, TypeVar, cast

import click

from tailrace.generate.kafka import EXAMPLE, Address
from tailrace.generate.options import OptionError, parse_duration_us, parse_time_us

ValueT = TypeVar("ValueT")
Command = TypeVar("Command", bound=Callable[..., object])


OPTION_OF_FIELD = {
    "attacks": "--attack",
    "random_attacks": "--attacks",
    "start_us": "--start",
    "duration_us": "--duration",
    "late_by_us": "--late-by",
    "window_us": "--window",
    "minimum": "--min",
    "maximum": "--max",
}
"""Where an option has another name than the field that it becomes."""


class Decorator(Protocol):
    """What adds options to a command."""

    def __call__(self, command: Command, /) -> Command:
        """The same command with its options."""
        ...


class SinkOptions(TypedDict):
    """The options of `sink`."""

    out: str
    append: bool
    to: Address | None
    key: str | None
    partition: int | None
    options_of_kafka: tuple[str, ...]


def read(
    parse: Callable[[str], ValueT],
) -> Callable[[click.Context, click.Parameter, str | None], ValueT | None]:
    """A callback that parses an option's text and tells the user what is wrong with it."""

    def callback(ctx: click.Context, param: click.Parameter, text: str | None) -> ValueT | None:
        try:
            return None if text is None else parse(text)
        except OptionError as error:
            raise click.BadParameter(error.render(), ctx, param) from None
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from None

    return callback


def wrong(ctx: click.Context, error: OptionError) -> click.BadParameter:
    """A generator's complaint as one about the option."""
    option = OPTION_OF_FIELD.get(error.option, f"--{error.option.replace('_', '-')}")
    return click.BadParameter(error.render(), ctx, param_hint=option)


def in_order(*options: Decorator) -> Decorator:
    """Several options as one decorator; they are listed in this order."""

    def decorate(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return decorate


def start() -> Decorator:
    """``--start``."""
    return click.option(
        "--start",
        "start_us",
        metavar="TIME",
        callback=read(parse_time_us),
        help="Event time at which it starts: ISO 8601 or epoch seconds.  [default: now]",
    )


def seed() -> Decorator:
    """``--seed``."""
    return click.option(
        "--seed",
        type=int,
        metavar="N",
        default=0,
        show_default=True,
        help="The same seed, start and options give the same bytes.",
    )


def length() -> Decorator:
    """``--count`` and ``--duration``."""
    return in_order(
        click.option("--count", type=int, metavar="N", help="Lines in all."),
        click.option(
            "--duration",
            "duration_us",
            metavar="DURATION",
            callback=read(parse_duration_us),
            help="Event time in all, such as 5m. With neither this nor --count the traffic is"
            " endless.",
        ),
    )


def lateness(what: str = "lines") -> Decorator:
    """``--late``, ``--late-by`` and ``--duplicates``."""
    return in_order(
        click.option(
            "--late",
            type=float,
            metavar="SHARE",
            default=0.0,
            help=f"Share of {what} whose event time is older than their neighbours'.",
        ),
        click.option(
            "--late-by",
            "late_by_us",
            metavar="DURATION",
            default="10s",
            show_default=True,
            callback=read(parse_duration_us),
            help="How much older at most.",
        ),
        click.option(
            "--duplicates",
            type=float,
            metavar="SHARE",
            default=0.0,
            help=f"Share of {what} that repeat the one before.",
        ),
    )


def faults() -> Decorator:
    """``--late``, ``--late-by``, ``--duplicates`` and ``--malformed``."""
    return in_order(
        lateness(),
        click.option(
            "--malformed",
            type=float,
            metavar="SHARE",
            default=0.0,
            help="Share of lines that are cut short, no log line at all, or hold a wrong value.",
        ),
    )


def sink(example: str = EXAMPLE) -> Decorator:
    """Where lines go, a file or a topic; the command gets it as ``sink``."""

    def decorate(command: Command) -> Command:
        @wraps(command)
        def gathered(*args: object, **options: object) -> object:
            names = SinkOptions.__required_keys__
            return command(*args, sink={name: options.pop(name) for name in names}, **options)

        return cast("Command", _sink_options(example)(gathered))

    return decorate


def _sink_options(example: str) -> Decorator:
    return in_order(
        click.option(
            "--out",
            type=click.Path(dir_okay=False, allow_dash=True),
            metavar="FILE",
            default="-",
            help="Where to write.  [default: stdout]",
        ),
        click.option("--append", is_flag=True, help="Add to the file instead of replacing it."),
        click.option(
            "--to",
            metavar="ADDRESS",
            callback=read(Address.parse),
            help=f"A Kafka topic instead of a file, such as {example}.",
        ),
        click.option(
            "--key", metavar="FIELD", help="With --to: the field that is the message's key."
        ),
        click.option(
            "--partition",
            type=click.IntRange(min=0),
            metavar="N",
            help="With --to: the partition of all messages.  [default: as the key says]",
        ),
        click.option(
            "--option",
            "options_of_kafka",
            multiple=True,
            metavar="NAME=VALUE",
            help="With --to: an option of librdkafka. Repeatable.",
        ),
    )


def truth(what: str) -> Decorator:
    """``--truth``."""
    return click.option(
        "--truth", type=click.File("wb", lazy=False), metavar="FILE", help=f"Write {what}."
    )


def real_time() -> Decorator:
    """``--real-time``."""
    return click.option(
        "--real-time/--no-real-time",
        default=None,
        help="Write each line when its time has come, or all as fast as possible.  "
        "[default: --real-time if endless]",
    )
