"""What a panel holds and a cell says: a prompt, parameters and what goes along, as one value that can be kept."""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import Any

from cometnb.errors import ConfigError
from cometnb.protocol.depth import MOST_LEVELS, is_too_deep
from cometnb.protocol.params import PARAMS
from cometnb.protocol.request import laid_over
from cometnb.session.cell_line import Arguments
from cometnb.session.cell_options import OPTIONS
from cometnb.session.cell_request import CellRequest, cell_request
from cometnb.session.linked_input import LINKS, linked_input
from cometnb.session.named_tools import toolbox_of
from cometnb.session.settings_json import fields_in, kept_form
from cometnb.session.settled import as_given
from cometnb.session.template import filled
from cometnb.session.tools import BUILT_IN, Toolbox

__all__ = ["TEXT_PATHS", "Settings", "escaped", "has_expressions"]

_REST = "extra_body"
_KNOWN = frozenset(row.name for row in PARAMS)

# Where a cell's line fills in {{expressions}}; everything else on it is taken as it stands.
TEXT_PATHS = frozenset(
    option.path for option in OPTIONS if option.param is not None and option.param.kinds[0] == "string"
)


@dataclass(frozen=True)
class Settings:
    r"""One request as a person sets it up, before the notebook's objects are filled in.

    ``{{expression}}`` is Python of the notebook in the prompt and in the parameters that are text (``instructions``),
    as it is on a cell's line; ``\{{`` stands for two plain braces. With `is_raw` braces stay as they are.

    Attributes
    ----------
    prompt : str
        The input as text.
    params : Mapping
        Parameters by the API's names, nested as they are sent, without ``input`` and ``tools``. Fields that the table
        of parameters does not know, values that shall be sent although the checks refuse them, and input that is no
        text are in ``extra_body``, which passes unchecked.
    tools : tuple of str or dict
        Functions of the notebook and the service's own tools by name, other tools as they are sent.
    schema : str
        Of a structured answer, as it is typed after ``--schema``; empty for none.
    images, files : tuple of str
        What is attached: each a variable, a path, a URL or an uploaded file's id.
    detail : str or None
        How closely images are looked at.
    is_raw : bool
        Whether braces mean nothing.
    """

    prompt: str = ""
    params: Mapping[str, Any] = field(default_factory=dict)
    tools: tuple[str | dict[str, Any], ...] = ()
    schema: str = ""
    images: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    detail: str | None = None
    is_raw: bool = False

    def __post_init__(self) -> None:
        if is_too_deep([self.params, self.tools]):
            raise ConfigError(
                f"These settings have more than {MOST_LEVELS} levels.", "No request needs as many."
            )
        # Later changes to what was passed do not reach a value that is kept.
        for name, make in (("params", dict), ("tools", tuple), ("images", tuple), ("files", tuple)):
            object.__setattr__(self, name, make(copy.deepcopy(getattr(self, name))))

    @classmethod
    def of(cls, arguments: Arguments, body: str, *, is_filled: bool = True) -> Settings:
        """Return what a cell's line and body ask in one plain call.

        What concerns its output alone (``--out``) is left out, and so is what makes more than one call of it
        (``--sweep``, ``--chat``); `read_code` says so.

        Parameters
        ----------
        arguments : Arguments
        body : str
            The lines below the first.
        is_filled : bool
            Whether values of text have been filled in, as `parsed` does; their braces are then plain text.

        Raises
        ------
        ConfigError
            A tool that has no name.
        """
        params = dict(arguments.params)
        if arguments.conversation_id:
            params["conversation"] = arguments.conversation_id
        if is_filled and not arguments.is_raw:
            params = _texts(params, escaped)
        return cls(
            prompt=body.strip("\n"),
            params=params,
            tools=tuple(_tool_name(one) for one in arguments.tools),
            schema=arguments.schema,
            images=tuple(arguments.images),
            files=tuple(arguments.files),
            detail=arguments.detail,
            is_raw=arguments.is_raw,
        ).normal()

    @classmethod
    def of_body(cls, body: Mapping[str, Any]) -> Settings:
        """Return settings that send a body as it is; nothing in it is looked up in the notebook, or evaluated.

        Parameters
        ----------
        body : Mapping
            JSON values only. It may have ``extra_body``, whose fields are laid over the rest.
        """
        over = body.get(_REST)
        whole = {name: value for name, value in body.items() if name != _REST}
        return cls.of_call({_REST: laid_over(whole, over if isinstance(over, Mapping) else {})})

    @classmethod
    def of_call(cls, call: Mapping[str, Any]) -> Settings:
        """Return settings that ask what a call of a client asks with these parameters, all taken literally.

        Parameters
        ----------
        call : Mapping
            With ``input``, ``tools`` and ``extra_body``. None is not set.
        """
        given = {name: value for name, value in call.items() if value is not None}
        over = given.pop(_REST, {})
        apart: dict[str, Any] = {name: given.pop(name) for name in ("input", "tools") if name in given}
        rest = laid_over(apart, over) if isinstance(over, Mapping) else over
        settings = cls(params={**given, _REST: rest}, is_raw=True).normal()
        has_braces = any("{{" in text for text in (settings.prompt, *_all_texts(settings.params)))
        # A prompt with braces reads best without escapes; without braces there is nothing to keep raw.
        return settings if has_braces else replace(settings, is_raw=False)

    def normal(self) -> Settings:
        """Return the same request with every field in its place.

        What ``extra_body`` holds becomes a parameter, the prompt or a tool wherever that sends the same, and a field
        that is no parameter of the table goes there; a parameter that is None is dropped, for it is not sent.
        """
        rest = self.params.get(_REST) or {}
        params = {name: value for name, value in self.params.items() if name != _REST and value is not None}
        if not isinstance(rest, Mapping):
            return replace(self, params={**params, _REST: rest})
        unknown = {
            name: value for name, value in params.items() if name not in _KNOWN and as_given(name, value)
        }
        params = {name: value for name, value in params.items() if name not in unknown}
        kept: dict[str, Any] = {}
        changes: dict[str, Any] = {}
        for name, value in laid_over(unknown, rest).items():
            is_free = name in _KNOWN and as_given(name, value)
            if name == "input" and is_free and self._may_be_prompt(value):
                changes["prompt"] = value if self.is_raw else escaped(value)
            elif name == "input" and self._is_bare() and (found := linked_input(value)) is not None:
                changes["prompt"] = found.text if self.is_raw else escaped(found.text)
                changes |= {"images": found.images, "files": found.files, "detail": found.detail}
            elif name == "tools" and is_free and not self.tools:
                changes["tools"] = tuple(value)
            elif name not in ("input", "tools") and is_free:
                text = {name: value} if self.is_raw else _texts({name: value}, escaped)
                params = laid_over(params, text)
            else:
                kept[name] = value
        if kept:
            params[_REST] = kept
        return replace(self, params=params, **changes)

    def as_template(self) -> Settings:
        """Return the same request without `is_raw`: braces that are plain text are escaped."""
        if not self.is_raw:
            return self
        return replace(self, prompt=escaped(self.prompt), params=_texts(self.params, escaped), is_raw=False)

    def _may_be_prompt(self, value: Any) -> bool:
        return self._is_bare() and isinstance(value, str) and bool(value.strip())

    def _is_bare(self) -> bool:
        return not (self.prompt or self.images or self.files or self.detail)

    @property
    def is_literal(self) -> bool:
        """True if sending it evaluates nothing and reads no object, function or file of the notebook's.

        Settings that came from somebody else should be looked at first if this is False.
        """
        texts = [] if self.is_raw else [self.prompt, *_all_texts(self.params)]
        sources = (*self.images, *self.files)
        return (
            not any(map(has_expressions, texts))
            and all(source.startswith(LINKS) for source in sources)
            and all(not isinstance(one, str) or one in BUILT_IN for one in self.tools)
            and not self.schema
        )

    def arguments(self) -> Arguments:
        """Return what a cell's line would give, with expressions in texts as they stand; see `request`."""
        return Arguments(
            params=copy.deepcopy({name: value for name, value in self.params.items() if value is not None}),
            images=list(self.images),
            files=list(self.files),
            detail=self.detail,
            tools=copy.deepcopy(list(self.tools)),
            schema=self.schema.strip(),
            is_raw=self.is_raw,
        )

    def request(self, namespace: Mapping[str, Any]) -> tuple[CellRequest, Toolbox]:
        """Return what is sent, with the notebook's objects filled in, and the tools it offers.

        A prompt without expressions is sent as it is; around one with expressions, empty lines are left out, as in a
        cell.

        Parameters
        ----------
        namespace : Mapping
            The notebook's names.

        Raises
        ------
        CometError
            There is no prompt, or an expression, attachment, schema or tool that cannot be used. Parameters are not
            checked yet; `prepare` does that.
        """
        whole = self.normal()
        arguments = whole.arguments()
        if not self.is_raw:
            arguments.params = _texts(arguments.params, lambda text: filled(text, namespace))
        asked = cell_request(arguments, whole.prompt, namespace)
        if isinstance(asked.params["input"], str) and (self.is_raw or not has_expressions(whole.prompt)):
            exact = whole.prompt if self.is_raw else filled(whole.prompt, {})
            asked = replace(asked, params={**asked.params, "input": exact})
        return asked, toolbox_of(whole.tools, namespace)

    def with_value(self, path: str, value: Any) -> Settings:
        """Return settings with one parameter set.

        Parameters
        ----------
        path : str
            The API's name, with dots for a field inside one: ``reasoning.effort``. ``input`` sets the prompt and
            ``tools`` the tools.
        value : object
            A JSON value; None is not set, as `without`.
        """
        if value is None:
            return self.without(path)
        if path == "tools":
            return replace(self, tools=tuple(value))
        if path == "input" and isinstance(value, str):
            return replace(self.without("input"), prompt=value if self.is_raw else escaped(value))
        whole = f"{_REST}.{path}" if path == "input" else path
        names = whole.split(".")
        nested = value
        for name in reversed(names[1:]):
            nested = {name: nested}
        above = self.without(whole).params
        return replace(self, params=laid_over(above, {names[0]: nested}))

    def without(self, path: str) -> Settings:
        """Return settings with one parameter not set, in ``extra_body`` neither; an object left empty goes, too."""
        if path == "tools":
            return replace(self, tools=())
        if path == "input":
            return replace(self, prompt="", params=_without(self.params, [_REST, "input"]))
        names = path.split(".")
        # What is laid over the rest would be sent all the same.
        return replace(self, params=_without(_without(self.params, names), [_REST, *names]))

    def as_json(self) -> dict[str, Any]:
        """Return a JSON value that `from_json` reads; keys of the API in it are masked, for it may be shared."""
        return kept_form({one.name: getattr(self, one.name) for one in fields(self)})

    @classmethod
    def from_json(cls, value: Any) -> Settings:
        """Return the settings that a JSON value stands for; it may come from anybody.

        Parameters
        ----------
        value : Mapping or str
            What `as_json` returned, or that as JSON text.

        Raises
        ------
        ConfigError
            It is something else, or was written by a later version.
        """
        return cls(**fields_in(value))


def has_expressions(text: str) -> bool:
    r"""Tell whether a template holds a ``{{`` that is not escaped as ``\{{``."""
    at = 0
    while (start := text.find("{{", at)) >= 0:
        if not start or text[start - 1] != "\\":
            return True
        at = start + 2
    return False


def escaped(text: str) -> str:
    r"""Return the template that stands for `text` as it is: each ``{{`` becomes ``\{{``."""
    return text.replace("{{", "\\{{")


def _texts(params: Mapping[str, Any], change: Callable[[str], str], prefix: str = "") -> dict[str, Any]:
    """Return parameters with every text changed that a cell's line would fill in."""
    changed: dict[str, Any] = {}
    for name, value in params.items():
        path = f"{prefix}{name}"
        if isinstance(value, str) and path in TEXT_PATHS:
            changed[name] = change(value)
        elif isinstance(value, Mapping) and not prefix and name != _REST:
            changed[name] = _texts(value, change, f"{path}.")
        else:
            changed[name] = value
    return changed


def _all_texts(params: Mapping[str, Any]) -> list[str]:
    found: list[str] = []

    def noted(text: str) -> str:
        found.append(text)
        return text

    _texts(params, noted)
    return found


def _without(params: Mapping[str, Any], names: list[str]) -> dict[str, Any]:
    first, *inner = names
    rest = dict(params)
    value = rest.pop(first, None)
    if inner and isinstance(value, Mapping):
        left = _without(value, inner)
        return {
            name: (left if name == first else one) for name, one in params.items() if name != first or left
        }
    return rest if not inner else dict(params)


def _tool_name(one: Any) -> str | dict[str, Any]:
    if isinstance(one, str):
        return one
    if isinstance(one, Mapping):
        return dict(one)
    name = getattr(one, "name", None) or getattr(one, "__name__", None)
    if not isinstance(name, str):
        raise ConfigError(f"The tool {one!r} has no name.", "Name a function of the notebook.")
    return name
