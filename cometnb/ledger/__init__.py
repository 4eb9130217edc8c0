"""The ledger: one row for every attempt, on disk, and the table of what was used."""

from __future__ import annotations

from cometnb.ledger.store import Ledger

__all__ = ["Ledger"]
