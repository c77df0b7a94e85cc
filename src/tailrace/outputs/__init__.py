"""Outputs: where rows go, each row once however often a process dies.

Rows are made here too, as JSON text (``rows``) or as typed columns (``typed``). What they mean was
decided before: nothing here judges.
"""

from tailrace.outputs.batches import Content, Form, OutboxBatch, batch_table
from tailrace.outputs.making import form_of, make_output
from tailrace.outputs.output import Output, State

__all__ = [
    "Content",
    "Form",
    "OutboxBatch",
    "Output",
    "State",
    "batch_table",
    "form_of",
    "make_output",
]
