"""The engines: what moves data to the kernel and keeps its state. What both share lies here.

One folder up.
"""
