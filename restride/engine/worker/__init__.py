"""The worker's state machine, what it holds in memory, and the threads that run its tasks."""
