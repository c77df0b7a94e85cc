"""The expression language: conditions and measures, typed, as DuckDB SQL and as NumPy.

``parse`` turns text into ``nodes``; ``sql`` and ``evaluate`` compute them; ``functions`` is the
registry. Nothing here imports DuckDB, and only the evaluator imports NumPy.
"""
