"""Speaking to a running engine: a Unix socket beside its store, for those who may read the store.

DuckDB lets one process at a time use a file, so ``status``, ``query`` and ``dead-letters`` ask the
process that has it. One request is one line of JSON; an answer is one too, with bytes behind it
where it has rows. ``client`` imports nothing heavy until rows come.
"""
