"""Rules that see the events of a key one after another (SEMANTICS 21)."""
