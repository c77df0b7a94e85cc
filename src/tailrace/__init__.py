"""Detections over live logs: rules written once, exact in event time, tested before they run.

Importing this package loads nothing heavy; each public module brings in what it needs.
"""

from tailrace._version import __version__

__all__ = ["__version__"]
