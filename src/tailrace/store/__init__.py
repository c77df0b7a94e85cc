"""The store: one DuckDB file with everything that has to survive a process."""
