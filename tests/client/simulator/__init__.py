"""Tests of the simulator, engine and transport."""
