"""Arrays in chunks: expressions in `operations`, and what users hold and call in the modules beside it."""
