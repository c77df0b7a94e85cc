"""Rule tests: the text format of `tailrace test` and of the conformance corpus.

`case` holds what a test file says, `format` reads it, `records` turns its rows into the bytes that
a source would have read, `outcome` is what an engine answers, `compare` holds both side by side and
`runner` runs them all. No engine is here: whatever has `run(case, variation)` can be tested.
"""
