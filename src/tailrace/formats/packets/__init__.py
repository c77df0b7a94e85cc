"""Captured packets as a format: what a packet's record is, and how its headers become fields.

How packets are found in capture files and on interfaces is in `tailrace.sources`.
"""
