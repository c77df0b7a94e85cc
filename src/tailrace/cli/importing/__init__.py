"""Configurations of other programs, turned into pipeline files."""
