"""The embedded engine: one process, state in one DuckDB file."""
