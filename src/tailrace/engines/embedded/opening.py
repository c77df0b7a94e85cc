"""From a pipeline to a session: the store, the source and the outputs that it names."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from tailrace.engines.delivery import Delivery
from tailrace.engines.embedded.session import Session
from tailrace.formats.build import decode_spec
from tailrace.formats.decoder import Decoder
from tailrace.outputs import make_output
from tailrace.plan.compile import compile_text
from tailrace.sources.opening import open_source
from tailrace.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tailrace.engines.processor import Result
    from tailrace.outputs import Output
    from tailrace.plan.model import Plan
    from tailrace.sources.types import Source


def make_decoder(plan: Plan) -> Decoder:
    """A decoder for one thread."""
    return Decoder(decode_spec(plan.config))


def make_outputs(plan: Plan) -> dict[str, Output]:
    """The outputs that rows are delivered to: all but tables, which the store's commit writes."""
    outputs = plan.config.outputs
    return {
        name: make_output(name, output) for name, output in outputs.items() if output.table is None
    }


def open_session(  # noqa: PLR0913 - every part can be replaced by the caller
    plan: Plan,
    store_path: str | Path,
    *,
    source: Source | None = None,
    outputs: dict[str, Output] | None = None,
    until_end: bool = False,
    salt: str | None = None,
    early_notices: bool | None = None,
    on_commit: Callable[[str], None] = lambda _: None,
    observe: Callable[[Result], None] = lambda _: None,
) -> Session:
    """Open everything that a pipeline names and take up where its store stands.

    ``early_notices`` None: only if the input doesn't end by itself. Raises StoreError, SourceError
    or OutputError, with everything closed again.
    """
    with ExitStack() as undo:
        store = Store.open(store_path, plan.name, salt=salt)
        undo.callback(store.close)
        if source is None:
            source = open_source(
                plan.config.source,
                until_end=until_end,
                max_record_bytes=plan.config.limits.max_record_bytes,
            )
        undo.callback(source.close)
        delivery = Delivery(make_outputs(plan) if outputs is None else outputs)
        undo.callback(delivery.close)
        session = Session(
            plan,
            store,
            source,
            delivery,
            make_decoder,
            previous=_previous(store.pipeline(), plan),
            early_notices=not source.bounded if early_notices is None else early_notices,
            on_commit=on_commit,
            observe=observe,
        )
        undo.pop_all()
    return session


def _previous(kept: str | None, plan: Plan) -> Plan | None:
    """The plan that the store's state fits: the same object if the text didn't change."""
    if kept is None:
        return None
    return plan if kept == plan.text else compile_text(kept)
