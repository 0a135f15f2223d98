"""Functions on columns in memory: Arrow and numpy in, Arrow and numpy out."""
