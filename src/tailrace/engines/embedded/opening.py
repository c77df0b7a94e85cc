"""From a pipeline to a session: the store, the source and the outputs that it names."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from tailrace.engines.delivery import Delivery
from tailrace.engines.embedded.session import Session
from tailrace.engines.shapes import shapes_of
from tailrace.formats.build import decode_spec
from tailrace.formats.decoder import Decoder
from tailrace.outputs import OutputContext, make_output
from tailrace.plan.compile import compile_text
from tailrace.sources.opening import open_source
from tailrace.store.store import Store

if TYPE_CHECKING:
    from collections.abc import Callable, Container
    from pathlib import Path

    from tailrace.config import Output as OutputConfig
    from tailrace.engines.concluding import Result
    from tailrace.outputs import Output
    from tailrace.plan.model import Plan
    from tailrace.sources.types import Source

    MakeOutput = Callable[[str, OutputConfig, OutputContext], Output]


def make_decoder(plan: Plan) -> Decoder:
    """A decoder for one thread."""
    return Decoder(decode_spec(plan.config))


def make_outputs(
    plan: Plan,
    store_id: str,
    *,
    make: MakeOutput = make_output,
    names: Container[str] | None = None,
) -> dict[str, Output]:
    """The outputs that rows are delivered to: all but tables, which the store's commit writes.

    ``names``: only those; ``make`` makes one.
    """
    return {
        name: make(name, output, OutputContext(plan.name, store_id, shapes_of(plan, name)))
        for name, output in plan.config.outputs.items()
        if output.table is None and (names is None or name in names)
    }


def open_session(  # noqa: PLR0913 - every part can be replaced by the caller
    plan: Plan,
    store_path: str | Path,
    *,
    source: Source | None = None,
    outputs: dict[str, Output] | None = None,
    make: MakeOutput = make_output,
    until_end: bool = False,
    salt: str | None = None,
    early_notices: bool | None = None,
    accept_loss: bool = False,
    on_commit: Callable[[str], None] = lambda _: None,
    observe: Callable[[Result], None] = lambda _: None,
) -> Session:
    """Open everything that a pipeline names and take up where its store stands.

    ``outputs``: these and no others; otherwise ``make`` makes those that the plan names.
    ``accept_loss``: see ``Session``. ``early_notices`` None: only if the input doesn't end by
    itself. Raises StoreError, SourceError or OutputError, with everything closed again.
    """
    with ExitStack() as undo:
        store = Store.open(store_path, plan.name, salt=salt)
        undo.callback(store.close)
        if source is None:
            source = open_source(
                plan.config, until_end=until_end, holder=store.identity, store=store_path
            )
        undo.callback(source.close)
        delivery = Delivery(
            make_outputs(plan, store.identity, make=make) if outputs is None else outputs,
            most_bytes=plan.config.outbox.max_bytes,
        )
        undo.callback(delivery.close)
        session = Session(
            plan,
            store,
            source,
            delivery,
            make_decoder,
            previous=_previous(store.pipeline(), plan),
            early_notices=not source.bounded if early_notices is None else early_notices,
            accept_loss=accept_loss,
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
