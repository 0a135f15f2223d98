"""The scheduler's state machine: whose turn it is, where tasks go, what follows when a worker is lost."""
