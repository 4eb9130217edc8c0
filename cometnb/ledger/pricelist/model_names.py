"""The spellings under which a model's price may be listed: with and without vendor and snapshot date."""

from __future__ import annotations

import re
from functools import lru_cache

__all__ = ["spellings"]

# A snapshot: gpt-5.4-2026-03-05, gemini-3-flash-preview-20251217, claude-sonnet-5@20260210.
_SNAPSHOT = re.compile(r"[-@]20\d{2}-?(?:0[1-9]|1[0-2])-?(?:0[1-9]|[12]\d|3[01])$")


@lru_cache(maxsize=4096)
def spellings(name: str | None) -> tuple[str, ...]:
    """Return the names to look a model up by, the most exact first.

    Parameters
    ----------
    name : str or None
        As the service or the user wrote it.

    Returns
    -------
    tuple of str
        In small letters: as given, without what stands before the last ``/``, and both without a snapshot date.
        Empty if there is no name.

    Examples
    --------
    >>> spellings("openai/gpt-5.4-2026-03-05")
    ('openai/gpt-5.4-2026-03-05', 'gpt-5.4-2026-03-05', 'openai/gpt-5.4', 'gpt-5.4')
    """
    if not isinstance(name, str) or not name.strip():
        return ()
    whole = name.strip().lower()
    alone = whole.rpartition("/")[2]
    forms = (whole, alone, _SNAPSHOT.sub("", whole), _SNAPSHOT.sub("", alone))
    return tuple(dict.fromkeys(form for form in forms if form))
