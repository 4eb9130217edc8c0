"""What a panel asks: settings that can be watched, the request they make, and why it cannot be sent.

The request that is shown is made at every change, so it must do nothing: ``{{expressions}}`` stand in it as they are
typed, and attachments by their names. They are evaluated and read when a run begins, or when `Asking.filled` is called.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import contextmanager
from typing import Any

import traitlets

from cometnb.defaults import shared
from cometnb.errors import CellError, CometError
from cometnb.panel.packing import is_packed, unpacked
from cometnb.panel.request import Asked, asked_of, body_of, previewed
from cometnb.session.export import FORMS, as_code
from cometnb.session.origin import shell_now
from cometnb.session.settings import Settings
from cometnb.session.sweep_axes import SHORT_NAMES

__all__ = ["FIELDS", "Asking"]

FIELDS = ("prompt", "params", "tools", "schema", "images", "files", "detail", "is_raw")
"""The traits that make up `Settings`, by the names they have there."""

# ``prompt`` and ``params`` are no paths: a parameter of the API has the one name, and all of them are the other.
_OWN = frozenset(FIELDS) - {"prompt", "params"}


class Asking(traitlets.HasTraits):
    """Settings as traits, and what they come to.

    Parameters
    ----------
    namespace : Mapping, optional
        Where ``{{expressions}}``, functions, schemas and attachments are looked up; None is the notebook.

    Notes
    -----
    `Panel` says what each trait is.
    """

    prompt = traitlets.Unicode()
    params = traitlets.Dict()
    tools: traitlets.List[Any] = traitlets.List()
    schema = traitlets.Unicode()
    images = traitlets.List(traitlets.Unicode())
    files = traitlets.List(traitlets.Unicode())
    detail = traitlets.Unicode(None, allow_none=True)
    is_raw = traitlets.Bool()
    request = traitlets.Dict(read_only=True)
    problem = traitlets.Unicode(read_only=True)

    def __init__(self, namespace: Mapping[str, Any] | None = None, **fields: Any) -> None:
        unknown = sorted(fields.keys() - set(self.trait_names()))
        if unknown:
            raise CellError(
                f"A Panel has no {', '.join(unknown)}.",
                f"Parameters go into params, or: cometnb.panel({unknown[0]}=…)",
            )
        self._names = namespace
        self._objects: dict[str, Any] = {}
        self._is_held = False
        try:
            super().__init__(**fields)
        except traitlets.TraitError as error:
            raise CellError(str(error), "See what it takes: help(cometnb.Panel)") from None
        self.observe(self._changed, FIELDS)
        self.refresh()

    @property
    def namespace(self) -> Mapping[str, Any]:
        """The names that are looked up; those that were given, else the notebook's at this moment."""
        names = self._names
        if names is None:
            shell = shell_now()
            names = shell.user_ns if shell is not None else {}
        # Of two of one name, the notebook's is the newer one.
        return {**self._objects, **names} if self._objects else names

    def add_names(self, objects: Mapping[str, Any]) -> None:
        """Have objects found by their names, where the notebook has none of these names."""
        if objects:
            self._objects = {**self._objects, **objects}
            self.refresh()

    @property
    def settings(self) -> Settings:
        """Everything that is asked, as one value; it can be assigned."""
        return Settings(
            prompt=self.prompt,
            params=dict(self.params),
            tools=tuple(self.tools),
            schema=self.schema,
            images=tuple(self.images),
            files=tuple(self.files),
            detail=self.detail,
            is_raw=self.is_raw,
        )

    @settings.setter
    def settings(self, settings: Settings) -> None:
        with self._as_one_change():
            self.prompt, self.schema, self.is_raw = settings.prompt, settings.schema, settings.is_raw
            self.params, self.detail = dict(settings.params), settings.detail
            self.tools, self.images, self.files = (
                list(settings.tools),
                list(settings.images),
                list(settings.files),
            )

    def set(self, path: str, value: Any) -> None:
        """Set a parameter, or one of the panel's own fields.

        Parameters
        ----------
        path : str
            The API's name, with dots for a field inside one: ``temperature``, ``reasoning.effort``; ``effort`` and
            ``verbosity`` for short. ``input`` is the prompt; ``tools``, ``schema``, ``images``, ``files``, ``detail`` and ``is_raw`` are the panel's own.
        value : object
            None does the same as `unset`.
        """
        path = SHORT_NAMES.get(path, path)
        if value is None:
            self.unset(path)
        elif path in ("input", "prompt") and isinstance(value, str):
            self.prompt = value
        elif path in _OWN:
            setattr(self, path, value)
        else:
            self.params = dict(self.settings.with_value(path, value).params)

    def unset(self, path: str) -> None:
        """Send a parameter no longer; of the panel's own fields, empty it."""
        path = SHORT_NAMES.get(path, path)
        if path in _OWN or path == "input":
            name = "prompt" if path == "input" else path
            setattr(self, name, self.trait_defaults(name))
        else:
            self.params = dict(self.settings.without(path).params)

    def refresh(self) -> None:
        """Make `request` and `problem` anew: after names of the notebook or the kernel's settings changed."""
        request, problem = previewed(self.settings, self.namespace, shared.options.model)
        self.set_trait("request", request)
        self.set_trait("problem", problem)

    def filled(self) -> dict[str, Any]:
        """Return the request as a run would send it now: expressions evaluated, attachments read.

        Raises
        ------
        CometError
            What a run would raise before anything is sent.
        """
        return body_of(self._asked(), shared.options.model)

    def code(self, form: str = "python") -> str:
        """Return the call as code.

        Parameters
        ----------
        form : str
            ``cell`` is a ``%%respond`` cell, with expressions as they are typed; ``python``, ``httpx``, ``curl`` and
            ``json`` send what `filled` returns, and wait for the whole answer.

        Raises
        ------
        CometError
            The panel cannot be sent, or there is no such form.
        """
        if form == "cell":
            from cometnb.session.cell_text import cell_text

            return cell_text(self.settings)
        if form not in FORMS:
            raise CellError(f"{form!r} is no form of code.", f"Use one of: cell, {', '.join(FORMS)}.")
        body = {name: value for name, value in self.filled().items() if name != "stream"}
        return as_code(body, form, base_url=shared.options.base_url)

    def _read(self, text: str) -> Settings:
        if is_packed(text):
            return unpacked(text)
        from cometnb.session.code_reader import read_code

        return read_code(text, self.namespace)

    def _asked(self) -> Asked:
        try:
            return asked_of(self.settings, self.namespace)
        except CometError as error:
            self.set_trait("problem", str(error))
            raise

    @contextmanager
    def _as_one_change(self) -> Any:
        self._is_held = True
        try:
            with self.hold_trait_notifications():
                yield
        finally:
            self._is_held = False
            self.refresh()

    def _changed(self, change: Any) -> None:
        if not self._is_held:
            self.refresh()
