"""The only place where bytes move: clients over httpx, the simulator, the local server."""
