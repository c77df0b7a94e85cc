"""Tables of references: from cells as they were read to snapshots with a version.

Reading them from files and servers is the engines' business, looking things up the kernel's.
"""
