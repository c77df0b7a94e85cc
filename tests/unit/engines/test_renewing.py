"""An output that has to repeat itself is asked to, also when nothing new comes."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tests.unit.engines.test_lanes import Rig, Server

from tailrace.errors import UnreachableError


@dataclass
class Repeating(Server):
    """Repeats itself every hundredth of a second, once something was delivered."""

    renewed: int = 0

    def renew(self) -> float | None:
        if not self.got:
            return None
        if not self.up:
            raise UnreachableError("nobody is there")
        self.renewed += 1
        return 0.01


def test_repeats_while_idle_and_says_when_it_cannot(tmp_path: Path) -> None:
    server = Repeating()
    rig = Rig(tmp_path / "s.duckdb", server)
    try:
        assert server.renewed == 0
        rig.put("a")
        rig.until(lambda: server.renewed >= 5)
        server.up = False
        rig.until(lambda: rig.delivery.standings()["o"].error is not None)
        before = server.renewed
        server.up = True
        rig.until(lambda: server.renewed > before)
        rig.until(lambda: rig.delivery.standings()["o"].error is None)
        rig.put("b")
        rig.until(lambda: len(server.got) == 2)
    finally:
        rig.close()
    assert server.got == [(0, "a"), (1, "b")]
