"""Outputs: where rows go, each row once however often a process dies.

Rows are made here too, as JSON text (``rows``) or as typed columns (``typed``). What they mean was
decided before: nothing here judges.
"""

from tailrace.outputs.batches import Content, Form, OutboxBatch, batch_table
from tailrace.outputs.making import OutputContext, make_output
from tailrace.outputs.output import Holder, Output, Receipt, Refused, Renewing, State

__all__ = [
    "Content",
    "Form",
    "Holder",
    "OutboxBatch",
    "Output",
    "OutputContext",
    "Receipt",
    "Refused",
    "Renewing",
    "State",
    "batch_table",
    "make_output",
]
