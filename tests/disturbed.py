"""What tests share in which a disturbed run must leave what an undisturbed one leaves."""

import json
from typing import Any

from tailrace.generate.attacks import parse_attack
from tailrace.generate.nginx import NginxTraffic

ATTACKS = ("flood@5s+12s:rate=0.5", "slow-host@20s+10s")
EARLY = ("flood@3s+8s:rate=0.5", "slow-host@8s+5s")
"""For short logs."""


def traffic(seed: int, count: int, attacks: tuple[str, ...] = ATTACKS) -> bytes:
    """Lines of 200 events a second with attacks; some are late, repeated or malformed."""
    made = NginxTraffic(
        seed=seed,
        rate=200.0,
        count=count,
        start_us=1_767_225_600_000_000,
        clients=50,
        hosts=6,
        attacks=tuple(parse_attack(attack) for attack in attacks),
        late=0.05,
        duplicates=0.03,
        malformed=0.02,
    )
    return b"".join(made.chunks())


def plain(line: str) -> str:
    """A row without what belongs to one delivery; nothing for an early notice."""
    row: dict[str, Any] = json.loads(line)
    if row.get("state") == "notice":
        return ""
    for name in ("sent_at", "notices"):
        row.pop(name, None)
    return json.dumps(row)
