"""Scheduler, worker and threads in the process of the user."""
