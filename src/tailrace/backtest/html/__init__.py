"""A report as one HTML page that needs nothing else: no script, no font, no address.

``markup`` escapes whatever comes from logs; ``axes`` has scales and ticks; ``bars``, ``timeline``
and ``curves`` are the plots, in SVG; ``page`` puts them together.
"""

from tailrace.backtest.html.page import report_html

__all__ = ["report_html"]
