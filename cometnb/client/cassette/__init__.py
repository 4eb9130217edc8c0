"""Cassettes: recorded calls in a file that answers them again, without a key and without the network."""

from __future__ import annotations

from cometnb.client.cassette.transport import Cassette

__all__ = ["Cassette"]
