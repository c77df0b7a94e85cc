"""Acts of people on Spark: where the clock leads they wait until all shards have come to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tailrace.engines.concluding import Result
    from tailrace.engines.spark.planning import Planner
    from tailrace.engines.spark.session import ClusterSession


class ClockedActs:
    """What people ask for holds from the watermark of the moment in which they ask.

    The clock's goes through a plan, so that a batch that runs again has it, too. Once that plan is
    concluded the acts are done; that the clock has gone on meanwhile doesn't make them wait again.
    """

    def __init__(self, session: ClusterSession, planner: Planner) -> None:
        self._session, self._planner = session, planner
        self._wait = False

    def take(self, *, offered: bool) -> Iterator[Result]:
        """Do what may be done now; ``offered``: a plan is not concluded yet."""
        if not self._session.acts.waiting:
            self._wait = False
        elif self._session.delivery.full:
            # No plan comes before outputs have taken something.
            yield from self.now()
        elif not self._wait:
            self._wait = self._planner.ask_for_clock()
            if not self._wait:
                yield from self.now()
        elif not self._planner.asked and not offered:
            self._wait = False
            yield from self.now()

    def now(self) -> Iterator[Result]:
        """Do all of it, from the watermark that the last batch came to."""
        return self._session.acts.take(self._session)
