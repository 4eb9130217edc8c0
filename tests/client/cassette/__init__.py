"""Cassettes: recorded, replayed, and handled as data."""
