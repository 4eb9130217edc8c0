"""Tests of the protocol core: no socket, no clock, no loop."""
