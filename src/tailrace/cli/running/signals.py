"""Signals of a run: one to stop it, a second to quit at once, SIGHUP to read the file again."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from signal import SIGHUP, SIGINT, SIGTERM, getsignal, signal
from types import FrameType


@contextmanager
def heard(
    stop: Callable[[], None], reload: Callable[[], None], leave: Callable[[], None]
) -> Iterator[list[int]]:
    """Collect SIGINT and SIGTERM in the list, and call ``stop`` at the first of them.

    At the second ``leave`` puts the terminal in order and the process ends where it is: nothing is
    lost by that, a store may be left at any moment. SIGHUP calls ``reload``.
    """
    signals: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        signals.append(number)
        if len(signals) > 1:
            with suppress(Exception):
                leave()
            os._exit(128 + number)
        stop()

    def again(_number: int, _frame: FrameType | None) -> None:
        reload()

    handlers = {SIGINT: note, SIGTERM: note, SIGHUP: again}
    before = {number: getsignal(number) for number in handlers}
    for number, handler in handlers.items():
        signal(number, handler)
    try:
        yield signals
    finally:
        for number, former in before.items():
            signal(number, former)
