"""Processes that Spark starts only to ask about a query load nothing heavy of ours."""

import subprocess
import sys

import pytest

HEAVY = ("duckdb", "pandas", "pydantic", "tailrace.config", "tailrace.kernel", "tailrace.plan")


@pytest.mark.parametrize("module", ["planned", "sealing", "stateful", "unpacked"])
def test_what_a_module_loads(module: str) -> None:
    program = f"import sys, tailrace.engines.spark.{module}; print(*sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not set(HEAVY) & set(told.stdout.split())
