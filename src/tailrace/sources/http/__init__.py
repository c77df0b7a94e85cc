"""Lines that are sent by POST, answered when the epoch that has them is committed.

A body can't be asked for again, so it is written to a file beside the store before its epoch begins
(``spool``), and with it the key by which a sender that got no answer repeats it (``keys``). What
was written and belongs to no epoch when the process dies is dropped: its sender has no answer.
``inbox`` is where the listening thread (``server``, ``exchange``) and the engine (``source``) meet.
"""
