"""Where generated lines go, and the way there until all are written or a signal comes."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol

import click

from tailrace.cli.consume import settings
from tailrace.cli.generating.options import SinkOptions
from tailrace.cli.stopping import collected_signals
from tailrace.errors import OutputError
from tailrace.generate.delivery import Sink, Tally, deliver
from tailrace.generate.kafka import KafkaSink
from tailrace.generate.pace import MonotonicClock, paced
from tailrace.generate.stream import Block


class Traffic(Protocol):
    """What can be written."""

    @property
    def endless(self) -> bool:
        """Whether nothing ends it."""
        ...

    def blocks(self) -> Iterator[Block]:
        """The lines."""
        ...


class Start:
    """When traffic starts, by its own time and the clock's, and whether lines wait for theirs."""

    def __init__(self, start_us: int | None, *, real_time: bool | None = None) -> None:
        self._real_time = real_time
        # Now is after the imports: in real time, event times are then those of the clock.
        self._clock = MonotonicClock()
        self.us = time.time_ns() // 1000 if start_us is None else start_us
        self._lead_us = self.us - self._clock.now_us()

    def blocks(self, traffic: Traffic, stopped: Callable[[], bool]) -> Iterator[Block]:
        """The traffic's blocks, each when it is due if they are to wait."""
        blocks = traffic.blocks()
        if traffic.endless if self._real_time is None else self._real_time:
            return paced(blocks, self._lead_us, self._clock, stopped)
        return blocks


@dataclass(frozen=True, slots=True)
class Destination:
    """Where lines go, and what messages call it."""

    sink: AbstractContextManager[Sink]
    name: str


def write(
    ctx: click.Context,
    traffic: Traffic,
    to: Destination,
    start: Start,
    *,
    truth: IO[bytes] | None = None,
    finish: Callable[[Tally], None] = lambda _: None,
) -> None:
    """Write all of it; ``finish`` is told what was written, however it ended.

    A signal ends it after a whole line; then the exit code says so, unless that is its only end.
    """
    tally = Tally()
    with collected_signals() as signals:
        blocks = start.blocks(traffic, lambda: bool(signals))
        try:
            with to.sink as sink:
                deliver(blocks, sink, tally, lambda: bool(signals), truth)
        except BrokenPipeError:
            pass  # the reader has enough
        except OSError as error:
            raise OutputError(f"can't write to {to.name}: {error.strerror}") from error
        finally:
            finish(tally)
    if signals and not traffic.endless:
        ctx.exit(128 + signals[0])


def open_sink(given: SinkOptions, kafka: type[KafkaSink] = KafkaSink) -> Destination:
    """The topic or the file that the options name; UsageError if they don't fit together."""
    to, key, partition, options = (
        given["to"],
        given["key"],
        given["partition"],
        given["options_of_kafka"],
    )
    if to is None:
        if key is not None or partition is not None or options:
            raise click.UsageError("--key, --partition and --option are for --to")
        return Destination(open_out(given["out"], append=given["append"]), given["out"])
    if given["out"] != "-" or given["append"]:
        raise click.UsageError("--to writes to a topic, --out to a file; give one of them")
    sink = kafka(to, key=key, partition=partition, options=settings(options))
    return Destination(sink, to.topic)


def open_out(out: str, *, append: bool = False) -> AbstractContextManager[IO[bytes]]:
    """A file, or stdout for ``-``."""
    if out == "-":
        if append:
            raise click.UsageError("--append needs --out FILE")
        return nullcontext(sys.stdout.buffer)
    try:
        return Path(out).open("ab" if append else "wb")
    except OSError as error:
        raise click.BadParameter(f"{out}: {error.strerror}", param_hint="--out") from None
