"""Tailrace in Python: build or load a pipeline, run it, get what it found as Arrow or pandas.

Everything here is also in ``tailrace`` itself. What a pipeline file can say is built from the same
models as the file is read into (``tailrace.config``).
"""

from tailrace.api.backtest import Backtest
from tailrace.api.following import Following
from tailrace.api.pipeline import Pipeline
from tailrace.api.result import Result

__all__ = ["Backtest", "Following", "Pipeline", "Result"]
