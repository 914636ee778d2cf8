"""Backups: a folder that holds the store, the lake and the end of the log, and the way back from it.

Nothing waits for anything else: whatever the store and the lake have is of raw records below the end of the log that is
saved after them, and their readers are set to before it (docs/decisions/0020-backup.md).
"""
