"""Incidents, early notices and per-event alerts: what a firing means for people."""
