"""References while a pipeline runs: read from where they are, again and again, and kept in force.

What their rows mean is ``tailrace.reference``'s business, looking things up the kernel's.
"""
