"""What others do in the same place: each fact seen by running the tool, in an environment of its own."""

from __future__ import annotations

__all__: list[str] = []
