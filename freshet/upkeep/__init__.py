"""What keeps the platform in order: checked, compacted, replayed."""
