"""The processes of a cluster, and what holds them together; the state machines they drive know nothing of them."""
