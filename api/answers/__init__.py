"""Answerers: from retrieved edits to a cited answer."""
