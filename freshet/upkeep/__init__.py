"""Upkeep: what is planned before a job changes what was made already."""
