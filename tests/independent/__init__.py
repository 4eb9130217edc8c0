"""Clients and servers that others wrote: theirs against our simulator, ours against theirs."""
