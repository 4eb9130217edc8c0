"""What cometnb costs, measured beside what a user would pick instead; run it with ``python -m benchmarks``."""

from __future__ import annotations

__all__: list[str] = []
