"""What rules would have done over history: the embedded engine over recorded input, judged.

``running`` runs a plan in memory and hears what its epochs find; ``sweep`` makes copies of a rule
with other thresholds, so that one pass over the data answers for all of them; ``truth`` and
``scoring`` compare with what is known to have happened, ``comparing`` with another rule set;
``report`` is the result as values, which ``report_json``, ``report_text`` and ``html``
write.
"""
