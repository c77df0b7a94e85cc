import subprocess
import sys
from pathlib import Path

import pytest

BENCHMARK = Path(__file__).parents[2] / "benchmarks" / "bench_memory.py"


@pytest.mark.soak
def test_a_million_keys_stay_within_the_bound() -> None:
    """100 million events through hopping windows; the bound is the one that the docs state."""
    command = [sys.executable, str(BENCHMARK), "--rows", "100000000", "--strict"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
