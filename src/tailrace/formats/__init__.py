"""Records into events: the decoder, what it is told, and why a record may be dead."""
