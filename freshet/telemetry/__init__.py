"""Logs and metrics: their names, once."""
