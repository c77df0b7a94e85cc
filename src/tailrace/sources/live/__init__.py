"""Packets live from interfaces (Linux): the kernel's ring, its filter, and the source over them."""
