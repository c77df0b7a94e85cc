"""Records into events: one decoder for all formats, what it is told, and why a record may be dead."""
