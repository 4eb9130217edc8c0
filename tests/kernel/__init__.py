"""Tests that talk to a real kernel, message by message."""
