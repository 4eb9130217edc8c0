"""A server that does wrong on purpose, by seed: for whoever wants to know what a client makes of it."""
