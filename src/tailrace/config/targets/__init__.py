"""The kinds of outputs, one module a server; what all share is in ``target``."""
