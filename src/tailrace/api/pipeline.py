"""A pipeline as an object: loaded from a file or built from models, then run."""

from __future__ import annotations

from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self, overload

from tailrace.config import Loaded, loads
from tailrace.errors import TailraceError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import TypeAlias

    import pandas as pd
    import pyarrow as pa

    from tailrace.api.backtest import Backtest
    from tailrace.api.following import Following
    from tailrace.api.gathering import Gathered
    from tailrace.api.inputs import Records
    from tailrace.api.result import Result
    from tailrace.backtest.history import History
    from tailrace.backtest.progress import Progress
    from tailrace.config import PipelineConfig
    from tailrace.engines.embedded.session import Session
    from tailrace.engines.explain import Explanation, PlanTold
    from tailrace.errors import Problem
    from tailrace.plan.model import Plan, Rule
    from tailrace.sources.types import Source

    Frame: TypeAlias = pa.Table | pa.RecordBatch | pd.DataFrame
    Tables: TypeAlias = Frame | Iterable[Frame]


class Pipeline:
    r"""Rules, and what they need to know of the records they judge.

    Made from a file (``load``), from YAML text (``parse``) or from models; PipelineError with every
    problem if it is wrong.

    >>> from tailrace import Alert, FileSource, Pipeline, PipelineConfig, TimeSettings, Window
    >>> pipeline = Pipeline(
    ...     PipelineConfig(
    ...         name="web",
    ...         source=FileSource(path="access.ndjson"),
    ...         time=TimeSettings(field="at"),
    ...         fields={"client_ip": "text"},
    ...         rules=[
    ...             Alert(
    ...                 name="flood", by="client_ip", window=Window.parse("1m"), when="count(*) > 2"
    ...             )
    ...         ],
    ...     )
    ... )
    >>> lines = ['{"at": 0, "client_ip": "192.0.2.7"}'] * 3
    >>> pipeline.run(records=lines).incidents["key"].to_pylist()
    ['{"client_ip":"192.0.2.7"}']
    """

    def __init__(self, config: PipelineConfig | Loaded) -> None:
        """Check a configuration built from the models of ``tailrace.config``."""
        from tailrace.plan.compile import compile_pipeline

        self._loaded = config if isinstance(config, Loaded) else Loaded.of(config)
        self._plan = compile_pipeline(self._loaded)

    @classmethod
    def load(
        cls, path: str | Path, *, sets: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> Self:
        """Read a pipeline file.

        ``sets`` are overrides as ``--set`` takes them (``"time.grace=10s"``); ``env`` fills in
        ``${NAME}`` instead of the process's environment.
        """
        from tailrace.plan.compile import check_file

        return cls(check_file(Path(path), env=env, sets=sets)[0])

    @classmethod
    def parse(
        cls, text: str, *, sets: Sequence[str] = (), env: Mapping[str, str] | None = None
    ) -> Self:
        """Read a pipeline from YAML text."""
        return cls(loads(text, env=env, sets=sets))

    @property
    def config(self) -> PipelineConfig:
        """The configuration, as models."""
        return self._loaded.config

    @property
    def name(self) -> str:
        """The pipeline's name."""
        return self._plan.name

    @property
    def rules(self) -> tuple[str, ...]:
        """The names of its rules, in the order of the file."""
        return tuple(rule.name for rule in self.config.rules)

    def run(
        self,
        *,
        files: str | Path | Sequence[str | Path] | None = None,
        records: Records | Mapping[str, Records] | None = None,
        tables: Tables | Mapping[str, Tables] | None = None,
        store: str | Path | None = None,
        until_end: bool = False,
        deliver: bool = False,
    ) -> Result:
        """Run to the end of the input and return what was found.

        The input is the pipeline's own source, or instead of it one of: ``files`` (paths or
        patterns), ``records`` (lines in the pipeline's format; a mapping gives several partitions),
        ``tables`` (Arrow tables, record batches or pandas data frames, one or an iterable, or a
        mapping from partitions to these; see ``docs/python-api.md``). ``until_end`` reads a source
        that is followed to the end that it has now.

        State is kept in memory; with ``store`` in that file, where the next run goes on. Outputs of
        the pipeline get nothing unless ``deliver``.

        Raises SourceError, StoreError or OutputError.
        """
        from tailrace.api.gathering import Gathered
        from tailrace.api.inputs import source_of
        from tailrace.api.result import Result
        from tailrace.engines.embedded.engine import Engine
        from tailrace.engines.embedded.opening import make_decoder

        source = source_of(
            self._plan,
            files=files,
            records=records,
            tables=tables,
            follow=False,
            until_end=until_end,
        )
        if not source.bounded:
            source.close()
            raise TailraceError(
                "the source is followed, so this would never end",
                hint="run(until_end=True) stops at its present end; follow() goes on",
            )
        gathered = Gathered(self._plan)
        session = self._session(source, gathered, store=store, deliver=deliver)
        try:
            Engine(session, make_decoder).run()
            return Result(session.plan, gathered, session.state)
        finally:
            session.close()

    def follow(
        self,
        *,
        files: str | Path | Sequence[str | Path] | None = None,
        store: str | Path | None = None,
        until_end: bool = False,
        deliver: bool = False,
    ) -> Following:
        """Run in the background and iterate over the revisions of incidents as they come.

        The input is the pipeline's own source or ``files``, which are followed as ``tail -F`` does.
        Leaving the ``with`` block stops the run; with ``store`` the next one goes on from there.

        >>> def watch(pipeline):
        ...     with pipeline.follow() as revisions:
        ...         for revision in revisions:
        ...             print(revision.rule, revision.state, revision.key)
        """
        from tailrace.api.following import Following
        from tailrace.api.inputs import source_of
        from tailrace.engines.embedded.engine import Engine
        from tailrace.engines.embedded.opening import make_decoder

        source = source_of(
            self._plan, files=files, records=None, tables=None, follow=True, until_end=until_end
        )
        session = self._session(source, None, store=store, deliver=deliver)
        return Following(session, lambda s, listen: Engine(s, make_decoder, listen=listen))

    def backtest(  # noqa: PLR0913 - one for each option of the command
        self,
        *,
        files: str | Path | Sequence[str | Path] | None = None,
        records: Records | Mapping[str, Records] | None = None,
        tables: Tables | Mapping[str, Tables] | None = None,
        truth: str | Path | None = None,
        finds: Mapping[str, Iterable[str]] | None = None,
        sweeps: str | Sequence[str] = (),
        against: Pipeline | None = None,
        begin: datetime | str | float | None = None,
        end: datetime | str | float | None = None,
        progress: Callable[[Progress], None] | None = None,
    ) -> Backtest:
        """Run over recorded input and say what would have been told, as ``tailrace backtest`` does.

        The input is as of ``run``; with ``against``, another pipeline held beside this one, it is
        read twice. ``truth``: a file with what really happened; ``finds``: the kinds of episodes
        that a rule is to find; ``sweeps``: ``"RULE.threshold=5..50:5"``; ``begin`` and ``end``:
        events outside are left out; ``progress`` hears how far it has come.

        Nothing is delivered and no store is touched. TailraceError for what can't be.
        """
        from tailrace.api.backtest import Backtest
        from tailrace.api.inputs import source_of
        from tailrace.backtest.inputs import history_source, source_names
        from tailrace.backtest.reporting import make_report
        from tailrace.backtest.running import run
        from tailrace.backtest.sweep import all_sweeps, parse_sweep
        from tailrace.backtest.truth import read_truth
        from tailrace.kernel.time import FOREVER, NEVER

        def history(plan: Plan, copies: Sequence[Rule] = ()) -> History:
            if files is None and records is None and tables is None:
                source = history_source(plan, self._plan)
            else:
                source = source_of(
                    plan, files=files, records=records, tables=tables, follow=False, until_end=True
                )
            low = NEVER if begin is None else _micros(begin)
            high = FOREVER if end is None else _micros(end)
            return run(plan, source, copies=copies, begin=low, end=high, progress=progress)

        given: tuple[str, ...] | None = None
        if records is not None or tables is not None:
            given = ("what was given",)
        elif files is not None:
            given = tuple(map(str, [files] if isinstance(files, str | Path) else files))
        asked = [sweeps] if isinstance(sweeps, str) else sweeps
        known = None if truth is None else read_truth(Path(truth))
        swept = all_sweeps(self._plan, [parse_sweep(text) for text in asked])
        here = history(self._plan, [copy for one in swept for copy in one.copies])
        there = None if against is None else history(against._plan)  # noqa: SLF001 - of this class
        report = make_report(
            here,
            source_names(self._plan) if given is None else given,
            truth=known,
            finds={rule: frozenset(kinds) for rule, kinds in (finds or {}).items()},
            sweeps=swept,
            against=there,
        )
        return Backtest(report)

    def check(self) -> tuple[Problem, ...]:
        """What is allowed, but may not be meant so (what is wrong was an error already)."""
        from tailrace.plan.advice import advice

        return advice(self._loaded)

    @overload
    def explain(self) -> PlanTold: ...

    @overload
    def explain(
        self,
        rule: str,
        key: object,
        time: datetime | str | float,
        *,
        window: datetime | str | float | None = None,
        store: str | Path | None = None,
        files: str | Path | Sequence[str | Path] | None = None,
        records: Records | Mapping[str, Records] | None = None,
    ) -> Explanation: ...

    def explain(
        self,
        rule: str | None = None,
        key: object = None,
        time: datetime | str | float = 0,
        *,
        window: datetime | str | float | None = None,
        store: str | Path | None = None,
        files: str | Path | Sequence[str | Path] | None = None,
        records: Records | Mapping[str, Records] | None = None,
    ) -> PlanTold | Explanation:
        """How the pipeline is computed; or what a rule saw of a key, and why it fired or didn't.

        ``key``: the key's value, a mapping or list for several fields, None without a key.
        ``time``: any instant of the window (a datetime, ISO 8601 text, or seconds since 1970);
        ``window``: the start of the one to show in detail, of several. The answer comes from
        ``store`` as long as it keeps what lay there (``explain.retain``), else the source, or
        instead of it ``files`` or ``records``, is read again.
        """
        from tailrace.engines.explain import explain_window, tell_plan

        if rule is None:
            return tell_plan(self._plan)
        from tailrace.api.inputs import source_of
        from tailrace.engines.explain.questions import key_values, window_rule

        source = None
        if files is not None or records is not None:
            source = source_of(
                self._plan, files=files, records=records, tables=None, follow=False, until_end=True
            )
        key_text = key_values(window_rule(self._plan, rule), key)
        with ExitStack() as opened:
            ask = None
            if store is not None:
                from tailrace.store.reading import open_reader

                reader = open_reader(Path(store))
                opened.callback(reader.close)
                ask = lambda sql: reader.query(sql).rows  # noqa: E731 - one line
            return explain_window(
                self._plan,
                rule,
                key_text,
                _instant(time),
                window=None if window is None else _instant(window),
                ask=ask,
                source=source,
            )

    def _session(
        self, source: Source, gathered: Gathered | None, *, store: str | Path | None, deliver: bool
    ) -> Session:
        from tailrace.engines.embedded.opening import open_session
        from tailrace.store.store import MEMORY

        return open_session(
            self._plan if deliver else undelivered(self._plan),
            MEMORY if store is None else store,
            source=source,
            outputs=None if deliver else {},
            observe=gathered.take if gathered is not None else lambda _: None,
        )

    def __repr__(self) -> str:
        return f"<Pipeline {self.name}: {', '.join(self.rules) or 'no rules'}>"


def _micros(time: datetime | str | float) -> int:
    from tailrace.generate.options import parse_time_us

    try:
        return parse_time_us(_instant(time))
    except ValueError as error:
        raise TailraceError(str(error)) from None


def _instant(time: datetime | str | float) -> str:
    if isinstance(time, str):
        return time
    if not isinstance(time, datetime):
        return repr(time)
    if time.tzinfo is None:
        raise TailraceError(f"{time} has no time zone", hint="datetime(..., tzinfo=UTC)")
    return time.isoformat()


def undelivered(plan: Plan) -> Plan:
    """The plan without outputs other than tables of the store."""
    from dataclasses import replace

    tables = {name for name, output in plan.config.outputs.items() if output.table is not None}

    def kept(to: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(name for name in to if name in tables)

    return replace(
        plan,
        rules=tuple(replace(rule, to=kept(rule.to)) for rule in plan.rules),
        event_rules=tuple(replace(rule, to=kept(rule.to)) for rule in plan.event_rules),
        archive=kept(plan.archive),
        classifications=tuple(
            replace(
                one,
                to=kept(one.to),
                to_label={label: kept(to) for label, to in one.to_label.items()},
            )
            for one in plan.classifications
        ),
    )
