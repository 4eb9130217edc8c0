"""Packages that are not imported here: one that is missing says how to install it, one that comes later is waited for."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeAlias

from cometnb.errors import MissingExtraError

__all__ = ["extra", "when_imported"]

_Then: TypeAlias = Callable[[ModuleType], object]


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


def when_imported(name: str, then: _Then) -> None:
    """Call `then` with a package once it has been imported: now, or as soon as somebody else imports it.

    Parameters
    ----------
    name : str
        Of a top-level package. It is not imported by this.
    then : callable
        What it raises is dropped: it must not spoil the other's import.
    """
    module = sys.modules.get(name)
    if module is None or getattr(getattr(module, "__spec__", None), "_initializing", False):
        sys.meta_path.insert(0, _Waiting(name, then))
        return
    with suppress(Exception):
        then(module)


# Neither names its base class of importlib.abc: that module takes longer to load than all of cometnb.
class _Waiting:
    """Finds nothing itself. It is asked first for a module, and has the one that is found tell when it is loaded."""

    def __init__(self, name: str, then: _Then) -> None:
        self._name, self._then = name, then

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname != self._name:
            return None
        for finder in sys.meta_path:
            spec = finder.find_spec(fullname, path, target) if finder is not self else None
            if spec is not None:
                # Some only look whether there is such a package, so this goes on waiting until it is loaded.
                if spec.loader is not None:
                    spec.loader = _Telling(spec.loader, self._loaded)  # type: ignore[assignment]  # acts as one
                return spec
        return None

    def _loaded(self, module: ModuleType) -> None:
        with suppress(ValueError):
            sys.meta_path.remove(self)
        with suppress(Exception):
            self._then(module)


class _Telling:
    """Loads as another loader does, leaves that one in the module, and tells when it is done."""

    def __init__(self, loader: Any, then: _Then) -> None:
        self._loader, self._then = loader, then

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        module: ModuleType | None = self._loader.create_module(spec)
        return module

    def exec_module(self, module: ModuleType) -> None:
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        module.__loader__ = self._loader
        self._loader.exec_module(module)
        self._then(module)
