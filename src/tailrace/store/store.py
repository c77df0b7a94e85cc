"""The store: one DuckDB file with a pipeline's whole state, that one process at a time writes.

Opening checks the format version and the pipeline's name; nothing that is there is ever destroyed
by opening.
"""

from __future__ import annotations

import json
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from tailrace.errors import StoreError
from tailrace.store import outbox
from tailrace.store.columns import definitions, quoted
from tailrace.store.opening import claim, connect, first_line, make_folder, prepare, release
from tailrace.store.querying import read
from tailrace.store.reading import StoreReader
from tailrace.store.versions import outdated_versions

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from tailrace.store.commit import Commit, Delivered, GroupDelta, HeldDelta, Json

_HELD = "tailrace_held"

ReferenceRow = tuple[str, str, bytes]
"""Name, version and contents of a reference."""

PASSING = ("appeared", "returned", "idle", "clock", "ended")
"""Kinds of decisions that are taken again and again as input comes and goes."""

MOST_PASSING = 100_000
"""So many of them stay in the log, and up to a tenth more."""

MEMORY = ":memory:"
"""A store that lives as long as its process: for tests and the Python API."""


class Store:
    """An open store. One thread at a time uses it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: str) -> None:
        """Use ``Store.open``."""
        self._connection = connection
        self._closed = False
        self.path = path
        self._known_panes: set[str] | None = set() if path == MEMORY else None
        self._columns: dict[str, set[str]] = {}
        self._logged = MOST_PASSING
        """Decisions since the log was last made shorter, or it isn't known when that was."""
        meta = dict(connection.execute("select name, value from tailrace_meta").fetchall())
        self.salt: str = meta["salt"]
        self.identity: str = meta["store_id"]

    @classmethod
    def open(cls, path: str | Path, pipeline: str, *, salt: str | None = None) -> Store:
        """Open or make a pipeline's store; StoreError if it is in use, foreign or damaged."""
        text = str(path)
        if text != MEMORY:
            make_folder(Path(text).parent)
            claim(text)
        try:
            connection = connect(text)
        except StoreError:
            release(text)
            raise
        try:
            prepare(connection, text, pipeline, salt, empty=text == MEMORY)
            return cls(connection, text)
        except StoreError:
            connection.close()
            release(text)
            raise
        except duckdb.Error as error:
            connection.close()
            release(text)
            raise StoreError(
                f"{text} can't be read as a Tailrace store: {first_line(error)}",
                hint="restore it from a copy, or name another path with store.path",
            ) from error

    def close(self) -> None:
        """Give the file back, its log merged into it. Safe to call twice."""
        if not self._closed:
            self._closed = True
            self._connection.close()
            release(self.path)

    # -- plans and commits -------------------------------------------------------------------------

    def last_state(self) -> dict[str, object] | None:
        """The small state after the last committed epoch."""
        row = self._connection.execute(
            "select body from tailrace_epochs order by epoch desc limit 1"
        ).fetchall()
        return json.loads(row[0][0]) if row else None

    def unfinished_plan(self) -> dict[str, object] | None:
        """The plan of an epoch that was begun and not committed."""
        row = self._connection.execute(
            "select body from tailrace_plans where epoch > "
            "(select coalesce(max(epoch), -1) from tailrace_epochs) order by epoch limit 1"
        ).fetchall()
        return json.loads(row[0][0]) if row else None

    def put_plan(
        self,
        epoch: int,
        body: Json,
        decisions: Sequence[tuple[str, Json]],
        references: Sequence[ReferenceRow] = (),
        keep: Mapping[str, str] | None = None,
    ) -> None:
        """Store an epoch's plan, and the decisions in it, before it runs.

        ``references``: new versions that it uses; of others those of ``keep`` stay and, of the
        same references, the last ones before (``versions``); None: all.
        """
        with self._transaction():
            self._put_references(references, keep)
            self._connection.execute("delete from tailrace_plans where epoch < ?", [epoch])
            self._connection.execute(
                "insert into tailrace_plans values (?, ?)", [epoch, _dumps(body)]
            )
            self._log(epoch, decisions)

    def _put_references(
        self, references: Sequence[ReferenceRow], keep: Mapping[str, str] | None
    ) -> None:
        if not references and keep is None:
            return
        run = self._connection.execute
        there = run(
            "select name, version, octet_length(payload) from tailrace_references"
            " order by rowid desc"
        ).fetchall()
        kept = {(name, version) for name, version, _ in there}
        if keep is not None:
            outdated = outdated_versions(there, keep, {name for name, _, _ in references})
            kept -= outdated
            for name, version in outdated:
                run(
                    "delete from tailrace_references where name = ? and version = ?",
                    [name, version],
                )
        for name, version, payload in references:
            if (name, version) not in kept:
                run("insert into tailrace_references values (?, ?, ?)", [name, version, payload])

    def reference(self, name: str, version: str) -> bytes:
        """The contents of a version of a reference; StoreError if it isn't there."""
        rows = self._connection.execute(
            "select payload from tailrace_references where name = ? and version = ?",
            [name, version],
        ).fetchall()
        if not rows:
            raise StoreError(f"{self.path} lacks version {version} of the reference {name}")
        payload: bytes = rows[0][0]
        return payload

    def _log(self, epoch: int, decisions: Sequence[tuple[str, Json]]) -> None:
        if decisions:
            self._connection.executemany(
                "insert into tailrace_decisions values (?, ?, ?, ?)",
                [[epoch, i, kind, _dumps(value)] for i, (kind, value) in enumerate(decisions)],
            )
            self._logged += len(decisions)
            if self._logged >= MOST_PASSING // 10:
                self._logged = 0
                self._shorten_log()

    def _shorten_log(self) -> None:
        """Drop all but the last decisions of the kinds that have no end."""
        newest = (
            f"select epoch from tailrace_decisions where kind in {PASSING}"
            f" order by epoch desc limit {MOST_PASSING}"
        )
        self._connection.execute(
            f"delete from tailrace_decisions where kind in {PASSING}"
            f" and epoch < (select min(epoch) from ({newest}))"
        )

    def decisions(self) -> list[tuple[int, str, dict[str, object]]]:
        """The decision log: epoch, kind and body, in order."""
        rows = self._connection.execute(
            "select epoch, kind, body from tailrace_decisions order by epoch, ordinal"
        ).fetchall()
        return [(epoch, kind, json.loads(body)) for epoch, kind, body in rows]

    def commit(
        self, commit: Commit, settled: Callable[[Commit], Commit] = lambda commit: commit
    ) -> tuple[int, ...]:
        """Apply an epoch in one transaction; StoreError, and nothing applied, if that fails.

        ``settled`` is asked last for the epoch with its outbox and what was delivered, which need
        not be known before. Returns the bytes that each batch of its outbox takes.
        """
        with self._transaction():
            self._apply(commit)
            return self._apply_delivery(settled(commit))

    def _apply_delivery(self, commit: Commit) -> tuple[int, ...]:
        sizes = outbox.append(self._connection, commit.outbox)
        outbox.confirm(self._connection, commit.delivered)
        outbox.mark_resent(self._connection, commit.resent)
        return sizes

    def _apply(self, commit: Commit) -> None:
        run = self._connection.execute
        run("delete from tailrace_epochs")
        run("insert into tailrace_epochs values (?, ?)", [commit.epoch, _dumps(commit.state)])
        if commit.pipeline is not None:
            self._set_pipeline(commit.pipeline)
        self._put_references(commit.references, commit.kept_references)
        self._log(commit.epoch, commit.decisions)
        for delta in commit.groups:
            self._apply_group(delta)
        if commit.folds:
            keys = pa.table(
                {
                    "rule": [fold.rule for fold in commit.folds],
                    "place": [fold.place for fold in commit.folds],
                    "body": pa.array([fold.body for fold in commit.folds], pa.string()),
                }
            )
            with self._registered("changed", keys):
                run("delete from tailrace_folds where place in (select place from changed)")
                run("insert into tailrace_folds select * from changed where body is not null")
        self._apply_shown(commit)
        if commit.held is not None:
            self._apply_held(commit.held)
        self._apply_dead(commit)
        for table, rows in commit.tables:
            self._append_table(table, rows)
        if commit.dedup is not None and commit.dedup.num_rows:
            with self._registered("changed", commit.dedup):
                run("insert into tailrace_dedup select * from changed")
        for partition, floor in commit.dedup_floors.items():
            run("delete from tailrace_dedup where partition = ? and time < ?", [partition, floor])

    def _apply_held(self, held: HeldDelta) -> None:
        if held.anew:
            self._connection.execute(f"drop table if exists {_HELD}")
            self._pane_tables().discard(_HELD)
            self._columns.pop(_HELD, None)
        elif _HELD in self._pane_tables():
            self._connection.execute(f"delete from {_HELD} where _judged_at <= ?", [held.until])
        if held.rows is not None and held.rows.num_rows:
            self._append_table(_HELD, held.rows)

    def held(self, until: int) -> pa.Table | None:
        """Archived events that wait for no more than ``until``, in the order they came."""
        if _HELD not in self._pane_tables():
            return None
        sql = f"select * from {_HELD} where _judged_at <= {until} order by rowid"
        return self._connection.sql(sql).to_arrow_table()

    def held_after(self, until: int | None) -> tuple[int, int | None]:
        """How many of them wait for later than that (None: at all), and the first for what."""
        if _HELD not in self._pane_tables():
            return 0, None
        later = "" if until is None else f" where _judged_at > {until}"
        sql = f"select count(*), min(_judged_at) from {_HELD}{later}"
        rows, first = self._connection.execute(sql).fetchall()[0]
        return rows, first

    def _apply_shown(self, commit: Commit) -> None:
        """Incidents and verdicts as people see them, and without those that are long over."""
        run = self._connection.execute
        if commit.incidents is not None and commit.incidents.num_rows:
            with self._registered("changed", commit.incidents):
                run("delete from incidents where fingerprint in (select fingerprint from changed)")
                run("insert into incidents by name select * from changed")
        if commit.verdicts is not None and commit.verdicts.num_rows:
            with self._registered("changed", commit.verdicts):
                run("delete from verdicts where id in (select id from changed)")
                run("insert into verdicts by name select * from changed")
        if commit.retained_from is not None:
            limit = [commit.retained_from]
            # One that was open when its input ended is followed no further.
            over = "coalesce(resolved_at, case when reason = 'input_ended' then last_firing_at end)"
            run(f"delete from incidents where epoch_us({over}) < ?", limit)
            run("delete from verdicts where epoch_us(until) < ? and not live", limit)

    def _apply_dead(self, commit: Commit) -> None:
        run = self._connection.execute
        if commit.dead is not None and commit.dead.num_rows:
            with self._registered("changed", commit.dead):
                run("insert into dead_letters by name select * from changed")
        if commit.mended is not None and commit.mended.num_rows:
            with self._registered("changed", commit.mended):
                run(
                    "update dead_letters set code = c.code, field = c.field, reason = c.reason,"
                    " replayed = c.replayed from changed c where dead_letters.id = c.id"
                )

    def confirm(self, delivered: tuple[Delivered, ...]) -> None:
        """Note what outputs have confirmed, without an epoch."""
        with self._transaction():
            outbox.confirm(self._connection, delivered)

    def pipeline(self) -> str | None:
        """The text of the pipeline that the state fits."""
        row = self._connection.execute(
            "select value from tailrace_meta where name = 'pipeline_text'"
        ).fetchall()
        return row[0][0] if row else None

    def put_pipeline(self, text: str) -> None:
        """Note the text of the pipeline that a new store begins with."""
        with self._transaction():
            self._set_pipeline(text)

    def _set_pipeline(self, text: str) -> None:
        self._connection.execute(
            "insert or replace into tailrace_meta values ('pipeline_text', ?)", [text]
        )

    def _apply_group(self, delta: GroupDelta) -> None:
        tables = {f"panes_{delta.identity}": delta.plain}
        tables |= {f"side_{delta.identity}_{name}": rows for name, rows in delta.sides.items()}
        for table, rows in tables.items():
            if delta.replace and table in self._pane_tables():
                self._connection.execute(f"delete from {quoted(table)}")
            if rows is not None and rows.num_rows:
                self._append_table(table, rows)
        if delta.forget_before is None or delta.replace:
            return
        for table in self._pane_tables():
            if table == f"panes_{delta.identity}" or table.startswith(f"side_{delta.identity}_"):
                self._connection.execute(
                    f"delete from {quoted(table)} where pane < ?",
                    [delta.forget_before],
                )

    def _append_table(self, table: str, rows: pa.Table) -> None:
        name = quoted(table)
        with self._registered("changed", rows):
            if table not in self._pane_tables():
                kinds = self._kinds("changed")
                self._connection.execute(
                    f"create table if not exists {name} ({definitions(kinds, rows)})"
                )
                self._pane_tables().add(table)
            self._add_columns(table, rows)
            self._connection.execute(f"insert into {name} by name select * from changed")

    def _add_columns(self, table: str, rows: pa.Table) -> None:
        """Give a table the columns that its rows now have, null in those that are there."""
        known = self._columns.get(table)
        if known is None:
            known = self._columns[table] = {name.lower() for name in self._types(table)}
        if known.issuperset(map(str.lower, rows.column_names)):
            return
        for column, kind in self._kinds("changed"):
            if column.lower() not in known:
                self._connection.execute(
                    f"alter table {quoted(table)} add column {quoted(column)} {kind}"
                )
                known.add(column.lower())

    def _kinds(self, rows: str) -> list[tuple[str, str]]:
        """The columns of registered rows, with the types that DuckDB has for them."""
        found = self._connection.execute(f"describe select * from {rows}").fetchall()
        return [(column, kind) for column, kind, *_ in found]

    def _pane_tables(self) -> set[str]:
        if self._known_panes is None:
            rows = self._connection.execute("select table_name from duckdb_tables()").fetchall()
            self._known_panes = {row[0] for row in rows}
        return self._known_panes

    # -- reading back ------------------------------------------------------------------------------

    def group_rows(
        self, identity: str, from_pane: int, columns: Mapping[str, str]
    ) -> pa.Table | None:
        """The stored plain partials of a group from a pane on, equal (key, pane) not merged.

        ``columns`` maps each wanted column to the SQL type it is read as.
        """
        return self._stored(f"panes_{identity}", from_pane, columns)

    def side_rows(self, identity: str, partial: str, from_pane: int) -> pa.Table | None:
        """The stored rows of a sided partial: ``code``, ``pane``, ``item``, ``n``."""
        columns = {"code": "varchar", "pane": "bigint", "item": "bigint", "n": "bigint"}
        return self._stored(f"side_{identity}_{partial}", from_pane, columns)

    def _stored(self, table: str, from_pane: int, columns: Mapping[str, str]) -> pa.Table | None:
        if table not in self._pane_tables():
            return None
        wanted = ", ".join(
            f"{quoted(name)}::{kind} as {quoted(name)}" for name, kind in columns.items()
        )
        query = f"select {wanted} from {quoted(table)} where pane >= {int(from_pane)}"
        return self._connection.sql(query).to_arrow_table()

    def drop_groups(self, keep: set[str]) -> None:
        """Drop the partials of groups that no rule has any more."""
        for table in list(self._pane_tables()):
            parts = table.split("_")
            if parts[0] in {"panes", "side"} and len(parts) > 1 and parts[1] not in keep:
                self._connection.execute(f"drop table {quoted(table)}")
                self._pane_tables().discard(table)
                self._columns.pop(table, None)

    def folds(self, rule: str) -> list[str]:
        """The stored states of one rule's keys, as they were given."""
        rows = self._connection.execute(
            "select body from tailrace_folds where rule = ? order by place", [rule]
        ).fetchall()
        return [row[0] for row in rows]

    def confirmed_notices(self, since: int) -> list[str]:
        """Ids of early notices that incidents named which last fired at ``since`` or later."""
        rows = self._connection.execute(
            "select unnest(json_extract_string(body, '$.notices[*]')) from incidents "
            "where epoch_us(last_firing_at) >= ?",
            [since],
        ).fetchall()
        return [row[0] for row in rows]

    def every_fold(self) -> list[str]:
        """All stored states of rules and keys."""
        rows = self._connection.execute("select body from tailrace_folds").fetchall()
        return [row[0] for row in rows]

    def user_tables(self) -> list[str]:
        """The tables that are for people: incidents, dead letters, and those of outputs."""
        return sorted(
            name for name in self._tables() if not name.startswith(("tailrace_", "panes_", "side_"))
        )

    def pane_tables(self) -> list[str]:
        """The tables of partials."""
        return sorted(name for name in self._tables() if name.startswith(("panes_", "side_")))

    def columns(self, table: str) -> list[str]:
        """The columns of a table, in order."""
        rows = self._connection.execute(
            "select column_name from duckdb_columns() where table_name = ? order by column_index",
            [table],
        ).fetchall()
        return [row[0] for row in rows]

    def column_types(self, table: str) -> dict[str, str]:
        """DuckDB's types of a table's columns by name; nothing without the table."""
        if table.lower() not in map(str.lower, self._tables()):
            return {}
        return self._types(table)

    def _types(self, table: str) -> dict[str, str]:
        # Unlike duckdb_columns() it doesn't look at every view that DuckDB has of its own.
        rows = self._connection.execute(
            "select name, type from pragma_table_info(?)", [quoted(table)]
        ).fetchall()
        return dict(rows)

    def _tables(self) -> set[str]:
        rows = self._connection.execute("select table_name from duckdb_tables()").fetchall()
        return {row[0] for row in rows}

    def dedup_memory(self) -> pa.Table:
        """What the deduplicator remembered."""
        return self._connection.sql("select * from tailrace_dedup").to_arrow_table()

    def refused_rows(self) -> list[outbox.RefusedBefore]:
        """Rows that outputs refused and that were not sent again."""
        return outbox.refused_rows(self._connection)

    def backlogs(self) -> dict[str, outbox.Backlog]:
        """What is committed and not known to be delivered, by output."""
        return outbox.backlogs(self._connection)

    def drop_waiting(self, output: str) -> outbox.Backlog:
        """Give up what waits for an output; what that was."""
        with self._transaction():
            return outbox.drop(self._connection, output)

    def outbox(self) -> outbox.OutboxReader:
        """Who reads the outbox for another thread."""
        return outbox.OutboxReader(self._connection.cursor())

    def output_states(self) -> dict[str, tuple[int, int, dict[str, object]]]:
        """For each output the last confirmed seq, the rows delivered in all, and its own state."""
        rows = self._connection.execute(
            "select output, delivered, rows, body from tailrace_outputs"
        ).fetchall()
        return {name: (seq, count, json.loads(body)) for name, seq, count, body in rows}

    def query(self, sql: str) -> pa.Table:
        """Run one reading statement; StoreError with DuckDB's words if it is wrong or writes."""
        return read(self._connection, sql).rows

    def reader(self) -> StoreReader:
        """Who answers other threads' questions about this store, each from the last commit."""
        return StoreReader(self._connection.cursor(), self.path)

    @contextmanager
    def _registered(self, name: str, table: pa.Table) -> Iterator[None]:
        self._connection.register(name, table)
        try:
            yield
        finally:
            self._connection.unregister(name)

    @contextmanager
    def _transaction(self) -> Iterator[None]:
        """All or nothing; StoreError if DuckDB refuses, as it does when the disk is full."""
        try:
            self._connection.execute("begin transaction")
            yield
            self._connection.execute("commit")
        except BaseException as error:
            with suppress(duckdb.Error):
                self._connection.execute("rollback")
            if not isinstance(error, duckdb.Error):
                raise
            raise StoreError(
                f"{self.path} could not be written: {first_line(error)}",
                hint="see to the disk (space, permissions) and start again; nothing is lost",
            ) from error


def _dumps(body: object) -> str:
    return json.dumps(body, separators=(",", ":"), sort_keys=True)
