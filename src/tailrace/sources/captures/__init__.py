"""Capture files as a source: where packets begin and end in pcap and pcapng.

What is in a packet is read in `tailrace.formats.packets`.
"""
