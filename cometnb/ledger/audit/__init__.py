"""The audit of saved notebooks: what their cells cost, and which keys stand in them."""

from __future__ import annotations

from cometnb.ledger.audit.audited import Audit, audit

__all__ = ["Audit", "audit"]
