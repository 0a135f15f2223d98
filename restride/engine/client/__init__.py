"""What users hold: the client, futures, and what else can be asked of a place where tasks run."""
