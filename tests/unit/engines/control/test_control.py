import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from tests.unit.engines.pipelines import lines, open_in, plan_in
from tests.unit.engines.test_status import PROCESS, turn

from tailrace.engines.control import address
from tailrace.engines.control.client import Client
from tailrace.engines.control.desk import Desk
from tailrace.engines.control.server import ControlServer
from tailrace.engines.gathering import live_status
from tailrace.errors import StoreError


@contextmanager
def served(folder: Path) -> Iterator[ControlServer]:
    """A session with seven events, one of them dead, and its socket."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "in.ndjson").write_text(lines([0, 1, 2, 11, 12, 13]) + "nonsense\n")
    session = open_in(folder, plan_in(folder))
    reader = session.store.reader()
    desk = Desk(reader)
    server = ControlServer(folder / "store.duckdb", desk)
    try:
        turn(session)
        desk.post(live_status(session, PROCESS))
        yield server
    finally:
        server.close()
        reader.close()
        session.close()


@pytest.fixture
def client(tmp_path: Path) -> Iterator[Client]:
    with served(tmp_path):
        found = Client.connect(tmp_path / "store.duckdb")
        assert found is not None
        with found:
            yield found


def test_status(client: Client) -> None:
    status = client.status()
    assert (status.read, status.events, status.dead) == (7, 6, 1)
    assert status.adds_up
    assert status.incidents == 1
    assert status.process == PROCESS


def test_queries(client: Client) -> None:
    rows, cut = client.query("select rule, state from incidents", 10)
    assert (rows.to_pylist(), cut) == ([{"rule": "many", "state": "firing"}], False)
    rows, cut = client.query("from range(5)", 2)
    assert (rows.num_rows, cut) == (2, True)


@pytest.mark.parametrize(
    ("sql", "message"), [("drop table incidents", "one reading statement"), ("selct", "syntax")]
)
def test_a_wrong_query_is_an_answer(client: Client, sql: str, message: str) -> None:
    with pytest.raises(StoreError, match=message):
        client.query(sql, 1)
    assert client.status().read == 7


def test_dead_letters(client: Client) -> None:
    rows, cut = client.dead_letters(-1, [], 10)
    assert not cut
    (row,) = rows.to_pylist()
    assert (row["id"], row["code"], row["raw"]) == (0, "malformed_json", b"nonsense")
    assert client.dead_letters(0, [], 10)[0].num_rows == 0
    assert client.dead_letters(-1, ["bad_value", "it's"], 10)[0].num_rows == 0
    assert client.dead_letters(-1, ["malformed_json"], 10)[0].num_rows == 1


def test_many_ask_at_once(tmp_path: Path) -> None:
    found: list[int] = []

    def ask() -> None:
        client = Client.connect(tmp_path / "store.duckdb")
        assert client is not None
        with client:
            for _ in range(5):
                found.append(client.query("from range(100)", 1000)[0].num_rows)
                found.append(client.status().read)

    with served(tmp_path):
        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(found) == [7] * 40 + [100] * 40


@pytest.mark.parametrize(
    "sent",
    [
        b"",
        b"\n",
        b"nonsense\n",
        b"[]\n",
        b'{"verb": "query"',
        b'{"payload_bytes": -1}\n',
        b"\xff\n",
    ],
)
def test_nonsense_is_hung_up_on(tmp_path: Path, sent: bytes) -> None:
    with served(tmp_path) as server:
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(30)
            connection.connect(str(server.path))
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                assert connection.recv(1000) == b""
        client = Client.connect(tmp_path / "store.duckdb")
        assert client is not None
        with client:
            assert client.status().read == 7


def test_an_unknown_request_is_told(tmp_path: Path) -> None:
    with served(tmp_path) as server, socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(server.path))
        connection.sendall(b'{"verb": "destroy"}\n')
        assert b"knows no 'destroy'" in connection.recv(1000)


def test_only_its_user_can_connect(tmp_path: Path) -> None:
    with served(tmp_path) as server:
        assert stat.S_IMODE(server.path.stat().st_mode) == 0o600
        assert server.path == tmp_path / "store.duckdb.sock"


def test_nothing_is_left(tmp_path: Path) -> None:
    with served(tmp_path):
        pass
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "in.ndjson",
        "out.ndjson",
        "store.duckdb",
    ]
    assert Client.connect(tmp_path / "store.duckdb") is None


def test_a_socket_whose_process_is_gone_is_replaced(tmp_path: Path) -> None:
    left = tmp_path / "store.duckdb.sock"
    with socket.socket(socket.AF_UNIX) as gone:
        gone.bind(str(left))
    assert Client.connect(tmp_path / "store.duckdb") is None
    with served(tmp_path):
        client = Client.connect(tmp_path / "store.duckdb")
        assert client is not None
        with client:
            assert client.status().read == 7


def test_a_long_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    folder = tmp_path / "/".join(["long"] * 30)
    with served(folder) as server:
        assert len(os.fsencode(server.path)) <= address.MOST_BYTES
        assert server.path.parent == tmp_path / "tailrace"
        pointer = folder / "store.duckdb.sock"
        assert pointer.read_text() == f"{server.path}\n"
        client = Client.connect(folder / "store.duckdb")
        assert client is not None
        with client:
            assert client.status().read == 7
    assert list((tmp_path / "tailrace").iterdir()) == []
    assert not pointer.exists()


def test_a_folder_that_others_can_enter_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(tmp_path))
    (tmp_path / "tailrace").mkdir(mode=0o755)
    (tmp_path / "tailrace").chmod(0o755)
    with pytest.raises(StoreError, match="isn't a folder of this user alone"):
        address.chosen(tmp_path / ("x" * 200))
