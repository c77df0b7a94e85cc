"""What waits for an output: in memory up to a bound, in the store beyond it, in order in any case.

Here an output is a real object whose server may be away; that real servers behave like that is
tested with them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pyarrow as pa
import pytest
from pyarrow import parquet

from tailrace.engines import lanes
from tailrace.engines.delivery import Delivery
from tailrace.errors import HaltedError, OutputError, UnreachableError
from tailrace.outputs import Content, Form, OutboxBatch, Receipt, Refused, batch_table
from tailrace.outputs.output import State
from tailrace.outputs.parquet import ParquetFolder
from tailrace.store.commit import Commit
from tailrace.store.outbox import Backlog
from tailrace.store.store import Store


@dataclass
class Server:
    """Takes rows while it is ``up``."""

    remote: bool = True
    up: bool = True
    halts: bool = False
    refuses: str | None = None
    got: list[tuple[int, str]] = field(default_factory=list)
    opened: list[State | None] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    closed: bool = False

    def open(self, saved: State | None) -> State:
        if not self.up:
            raise UnreachableError("nobody is there")
        self.opened.append(saved)
        return dict(saved or {"seq": -1})

    def deliver(self, batch: OutboxBatch) -> Receipt:
        self.threads.add(threading.current_thread().name)
        if self.halts:
            raise HaltedError("a person must decide")
        if not self.up:
            raise OutputError("nobody is there")
        refused = [row for row, text in enumerate(batch.json) if text == self.refuses]
        self.got += [(batch.seq, text) for row, text in enumerate(batch.json) if row not in refused]
        return Receipt({"seq": batch.seq}, tuple(Refused(row, "no") for row in refused))

    def close(self) -> None:
        self.closed = True


def rows(*texts: str) -> pa.Table:
    return batch_table({"json": pa.array(texts, pa.string())}, Form.ROWS, Content.ARCHIVE)


class Rig:
    """A store, an output and the delivery between them, driven as an engine does it."""

    def __init__(self, path: Path, server: Server, most_bytes: int = 1 << 30) -> None:
        self.store = Store.open(path, "p")
        self.server = server
        self.now = 0.0
        self.seq = max([-1, *(b.newest for b in self.store.backlogs().values())]) + 1
        states = self.store.output_states()
        self.seq = max(self.seq, *(seq + 1 for seq, _, _ in states.values()), 0)
        self.delivery = Delivery({"o": server}, most_bytes=most_bytes, clock=lambda: self.now)
        self.delivery.open(states, self.store.backlogs(), self.store.outbox)
        self.store.confirm(self.delivery.confirmed())
        self.delivery.start()

    def put(self, *texts: str) -> None:
        table = rows(*texts)
        done = self.delivery.confirmed()
        commit = Commit(self.seq, {}, outbox=((self.seq, "o", table),), delivered=done)
        (size,) = self.store.commit(commit)
        self.delivery.add(self.seq, "o", table, size)
        self.seq += 1

    def until(self, done: Callable[[], bool]) -> None:
        """Run, time passing quickly, until something holds."""
        deadline = time.monotonic() + 120
        while not done():
            assert time.monotonic() < deadline, self.delivery.standings()
            self.now += 1.0
            # A lane that waits for its time to try again is woken by news only.
            for lane in self.delivery._lanes.values():
                with lane._news:
                    lane._news.notify_all()
            self.delivery.run()
            time.sleep(0.001)

    def close(self) -> None:
        self.delivery.close()
        self.store.confirm(self.delivery.confirmed())
        self.store.close()


@pytest.mark.parametrize("remote", [True, False])
@pytest.mark.parametrize("memory", [1, 3000, 1 << 20])
def test_in_order_and_once_however_much_is_held_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int, remote: bool
) -> None:
    monkeypatch.setattr(lanes, "MEMORY_BYTES", memory)
    rig = Rig(tmp_path / "s.duckdb", Server(remote=remote))
    for number in range(20):
        rig.put(f"{number}a", f"{number}b")
    rig.until(lambda: not rig.delivery.waits)
    rig.server.up = False
    for number in range(20, 60):
        rig.put(f"{number}a", f"{number}b")
    assert rig.delivery.waits
    assert len(rig.delivery._lanes["o"]._queue) <= max(1, memory // 300)
    rig.server.up = True
    rig.until(lambda: not rig.delivery.waits)
    assert rig.server.got == [(n, f"{n}{half}") for n in range(60) for half in "ab"]
    standing = rig.delivery.standings()["o"]
    assert (standing.waiting_rows, standing.waiting_bytes, standing.delivered_rows) == (0, 0, 120)
    assert ("output o" in rig.server.threads) is remote
    rig.close()
    assert rig.server.closed


def test_what_waits_at_a_stop_is_delivered_by_the_next_run(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "s.duckdb", Server())
    rig.put("a")
    rig.until(lambda: not rig.delivery.waits)
    rig.server.up = False
    rig.put("b")
    rig.put("c")
    rig.until(lambda: rig.delivery.standings()["o"].error is not None)
    rig.close()
    again = Rig(tmp_path / "s.duckdb", Server())
    again.until(lambda: not again.delivery.waits)
    assert again.server.opened == [{"seq": 0}]
    assert again.server.got == [(1, "b"), (2, "c")]
    assert again.delivery.standings()["o"].delivered_rows == 3
    again.close()


def test_a_server_that_is_away_at_the_start_is_opened_later(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "s.duckdb", Server())
    rig.put("a")
    rig.until(lambda: not rig.delivery.waits)
    rig.close()
    away = Rig(tmp_path / "s.duckdb", Server(up=False))
    away.put("b")
    assert away.delivery.standings()["o"].error == "nobody is there"
    away.server.up = True
    away.until(lambda: not away.delivery.waits)
    assert (away.server.opened, away.server.got) == ([{"seq": 0}], [(1, "b")])
    away.close()


def test_a_server_that_was_never_there_ends_the_start(tmp_path: Path) -> None:
    with pytest.raises(UnreachableError, match="nobody is there"):
        Rig(tmp_path / "s.duckdb", Server(up=False))


def test_the_engine_hears_of_what_only_a_person_can_decide(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "s.duckdb", Server(halts=True))
    rig.put("a")
    with pytest.raises(HaltedError, match="person"):
        rig.until(lambda: False)
    rig.close()


def test_refused_rows_are_kept_with_their_reason(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "s.duckdb", Server(refuses='{"n":2}'))
    rig.put('{"n":1}', '{"n":2}', '{"n":3}')
    rig.until(lambda: not rig.delivery.waits)
    standing = rig.delivery.standings()["o"]
    assert (standing.delivered_rows, standing.refused_rows) == (2, 1)
    rig.store.confirm(rig.delivery.confirmed())
    (row,) = rig.store.query("select * exclude payload from refused").to_pylist()
    assert row == {
        "output": "o",
        "seq": 0,
        "row": 1,
        "id": None,
        "reason": "no",
        "body": '{"n":2}',
        "resent": False,
    }
    rig.close()


def test_full_is_what_one_output_may_hold(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "s.duckdb", replace(Server(), up=True), most_bytes=2000)
    rig.server.up = False
    while not rig.delivery.full:
        rig.put("x" * 100)
    assert 2000 < rig.delivery.standings()["o"].waiting_bytes < 4000
    rig.server.up = True
    rig.until(lambda: not rig.delivery.full)
    rig.close()


def test_starting_again_leaves_a_running_lane_alone(tmp_path: Path) -> None:
    rig = Rig(tmp_path / "s.duckdb", Server())
    more = Server()
    rig.delivery.take_up({"p": more}, {}, {})
    rig.delivery.start()
    own = [t for t in threading.enumerate() if t.name in ("output o", "output p")]
    assert sorted(t.name for t in own) == ["output o", "output p"]
    rig.close()


def test_what_is_taken_while_an_output_is_closed_is_told(tmp_path: Path) -> None:
    entered, leave = threading.Event(), threading.Event()

    class Slow(Server):
        def deliver(self, batch: OutboxBatch) -> Receipt:
            entered.set()
            leave.wait(120)
            return super().deliver(batch)

    rig = Rig(tmp_path / "s.duckdb", Slow())
    rig.put("a")
    assert entered.wait(120)
    threading.Timer(0.05, leave.set).start()
    (done,) = rig.delivery.drop(["o"])
    assert (done.output, done.seq, done.rows) == ("o", 0, 1)
    rig.close()


def test_refused_rows_are_told_with_their_own_batch() -> None:
    lane = lanes.Lane("o", Server(remote=False, refuses="b"), lambda: None)  # type: ignore[arg-type,return-value]
    lane.open(None, Backlog())
    lane.add(0, rows("a"), 1)
    lane.run()
    batch = OutboxBatch(1, rows("b"), 1)
    lane.add(1, batch.rows, 1)
    lane._take(batch, Receipt({}, (Refused(0, "no"),), held=True))
    done = lane.confirmed()
    assert done is not None
    assert (done.seq, done.refused) == (0, ())
    lane._confirm(Receipt({}))
    done = lane.confirmed()
    assert done is not None
    assert (done.seq, [row.seq for row in done.refused]) == (1, [1])


def test_what_files_hold_back_is_written_when_an_output_goes(tmp_path: Path) -> None:
    output = ParquetFolder(tmp_path / "rows", roll_bytes=1 << 20, roll_seconds=300)
    delivery = Delivery({"o": output})
    delivery.open({}, {}, lambda: None)  # type: ignore[arg-type,return-value]
    delivery.confirmed()
    delivery.add(0, "o", rows("a", "b"), 1)
    delivery.run()
    assert delivery.standings()["o"].waiting_rows == 2
    (done,) = delivery.drop(["o"])
    assert (done.output, done.seq, done.rows) == ("o", 0, 2)
    (file,) = (tmp_path / "rows").iterdir()
    assert parquet.read_table(file).num_rows == 2
    delivery.close()
