"""While nothing comes an epoch is committed only where the passing of time has something to say."""

from pathlib import Path

import pytest

from tailrace.config import loads
from tailrace.engines.embedded.engine import Engine
from tailrace.engines.embedded.opening import make_decoder, open_session
from tailrace.engines.state import Liveness
from tailrace.kernel.time import NEVER
from tailrace.plan.compile import compile_pipeline

TEXT = """
name: small
source: {{file: {{path: "{folder}/in.ndjson", follow: true}}}}
time: {{field: t, grace: 0s, idle_after: 300ms}}
fields: {{a: text}}
rules:
  - alert: many
    by: a
    window: 1s
    when: count(*) >= 3
    keep_firing_for: 1s
    to: [out]
{more}
outputs:
  out: {{file: {{path: "{folder}/out.ndjson"}}}}
"""
LOUD = """
  - {alert: flood, window: 1s, when: count(*) > 100, to: [out]}
"""
SILENT = """
  - {alert: silent, window: 1s, when: count(*) < 1, to: [out]}
"""
QUIET_SECONDS = 2_500_000


@pytest.mark.parametrize(
    ("more", "commits"),
    [
        pytest.param("", False, id="every key has been heard of before"),
        pytest.param(LOUD, False, id="empty windows don't fire"),
        pytest.param(SILENT, True, id="empty windows fire"),
    ],
)
def test_idle(tmp_path: Path, more: str, commits: bool) -> None:
    log = tmp_path / "in.ndjson"
    log.write_text('{"t": 1, "a": "k"}\n' * 3)
    text = TEXT.format(folder=tmp_path, more=more)
    plan = compile_pipeline(loads(text, "small.yaml"))
    session = open_session(plan, tmp_path / "store.duckdb")
    told: list[str] = []
    quiet: list[tuple[int, int]] = []
    """Epoch and watermark when the incident had ended, and when the clock had gone on for long."""

    def listen(*_: object) -> None:
        state, watermark = session.state, session.watermark or NEVER
        told[:] = (tmp_path / "out.ndjson").read_text().splitlines()
        ended = any('"rule":"many"' in line and '"state":"resolved"' in line for line in told)
        idle = all(p.liveness is Liveness.IDLE for p in state.partitions.values())
        if not quiet and ended and idle:
            quiet.append((state.epoch, watermark))
        elif len(quiet) == 1 and watermark > quiet[0][1] + QUIET_SECONDS:
            quiet.append((state.epoch, watermark))
            # It has happened after what the store knows of, and before what the clock says.
            with log.open("a") as more_of_it:
                more_of_it.write(f'{{"t": {watermark / 1e6 - 1.5}, "a": "k"}}\n')
        elif state.counts.events == 4:
            engine.stop()

    engine = Engine(session, make_decoder, listen=listen)
    try:
        engine.run()
        many = plan.rules[0].identity
        assert session.state.counts.rules[many].late == 1
    finally:
        session.close()
    assert (quiet[1][0] > quiet[0][0]) is commits
