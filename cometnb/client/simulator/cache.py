"""Remembers which prompts were seen, so that a repeated beginning counts as cached."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

__all__ = ["PrefixCache"]

# As the service documents it: prefixes of 1,024 tokens and more, in steps of 128.
_BLOCK_TOKENS = 128
_LEAST_TOKENS = 1024


class PrefixCache:
    """Beginnings of prompts, by the hash of their blocks of 128 tokens.

    Parameters
    ----------
    most : int
        Blocks remembered; the oldest are forgotten.
    """

    def __init__(self, most: int = 100_000) -> None:
        self._most = most
        self._seen: OrderedDict[bytes, None] = OrderedDict()

    def cached_tokens(self, model: str, tokens: Sequence[str]) -> int:
        """Return how many of the first tokens were sent to the model before, and remember all of them.

        Returns
        -------
        int
            0, or a multiple of 128 from 1,024 on.
        """
        digest = hashlib.sha256(model.encode("utf-8", "replace"))
        n_cached, known = 0, True
        for end in range(_BLOCK_TOKENS, len(tokens) + 1, _BLOCK_TOKENS):
            digest.update("\0".join(tokens[end - _BLOCK_TOKENS : end]).encode("utf-8", "replace"))
            block = digest.digest()
            known = known and block in self._seen
            n_cached = end if known else n_cached
            self._seen[block] = None
            self._seen.move_to_end(block)
        while len(self._seen) > self._most:
            self._seen.popitem(last=False)
        return n_cached if n_cached >= _LEAST_TOKENS else 0
