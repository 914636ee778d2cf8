"""Upkeep: what keeps the platform in order, checked, compacted and replayed."""
