"""tap: an independent witness for live multi-camera shoots."""
