"""The Markdown that is streamed where somebody watches: headings, prose, lists, code and tables, over and over."""

from __future__ import annotations

from itertools import cycle, islice

from cometnb.client.simulator.tokens import split_tokens

__all__ = ["markdown"]

_PASSAGE = """\
## What makes the tide turn

The sea rises and falls **twice** a day, because the pull of the moon and that of the sun turn around the Earth.
Harbours between narrow coasts see several times what open water sees, which `height(hours)` describes well enough
for an afternoon with a small boat.

- Spring tides come together with every full moon.
- Neap tides come between them, when the two pulls stand across each other.

```python
def height(h):
    return mean + rise * cos(turn * h)
```

| harbour | tide |
|---|---|
| Northern bay | high |
| Southern shore | low |

"""


def markdown(n_deltas: int) -> str:
    """Return Markdown that the simulator streams in `n_deltas` deltas, about 4 characters each."""
    return "".join(islice(cycle(split_tokens(_PASSAGE)), n_deltas))
