"""Whether a running pipeline is alive, and whether it does its work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tailrace.plan.instants import iso

if TYPE_CHECKING:
    from tailrace.engines.status import Status

STUCK_SECONDS = 300.0
"""An engine that didn't come by for so long is stuck: an epoch takes a fraction of a second."""


def illness(seconds_since_status: float | None) -> str | None:
    """Why the process should be started again; None if it is alive.

    ``seconds_since_status``: since the engine last told how it stands; None before the first time,
    when it may take long to recover.
    """
    if seconds_since_status is not None and seconds_since_status > STUCK_SECONDS:
        return f"the engine has not come by for {seconds_since_status:.0f} s"
    return None


def hindrances(status: Status | None) -> list[str]:
    """Why the pipeline doesn't do its whole work now; empty if it does."""
    if status is None:
        return ["it is starting"]
    found = []
    if status.source_error is not None and status.source_away_since is not None:
        found.append(f"the source: {status.source_error} (since {iso(status.source_away_since)})")
    found += [
        f"output {output.name} takes no rows; {output.waiting_rows} wait"
        for output in status.outputs
        if output.error is not None
    ]
    if status.process is not None and status.process.reload_error is not None:
        found.append("the changed pipeline file was not taken up")
    return found
