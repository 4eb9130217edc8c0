"""Optional packages: import one, or say in two lines how to install it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cometnb.errors import MissingExtraError

__all__ = ["extra"]


@contextmanager
def extra(name: str, capability: str) -> Iterator[None]:
    """Turn an ImportError inside the block into a MissingExtraError that names the extra.

    Parameters
    ----------
    name : str
        The extra of pyproject.toml that brings the package.
    capability : str
        What the user asked for, as the start of a sentence.

    Raises
    ------
    MissingExtraError
        If the import inside the block fails.

    Examples
    --------
    >>> with extra("lab", "Opening JupyterLab"):
    ...     import json
    """
    try:
        yield
    except ImportError as error:
        raise MissingExtraError(
            f"{capability} needs the package {error.name or name!r}, which is not installed.",
            f'pip install "cometnb[{name}]"',
        ) from error
