"""What users hold between grouping a frame and the result."""
