"""Functions of the notebook as tools: offered to the model, called with checked arguments, answered in any type."""

from __future__ import annotations

import asyncio
import inspect
import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, overload

from cometnb.errors import ConfigError, ToolError, masked
from cometnb.protocol.items import function_call_output
from cometnb.protocol.response import FunctionCall
from cometnb.session.tool_results import output_of
from cometnb.session.tool_schema import Arguments, described, tool_name

__all__ = ["BUILT_IN", "Tool", "ToolResult", "Toolbox", "tool"]

BUILT_IN: dict[str, dict[str, Any]] = {
    "web_search_preview": {"type": "web_search_preview"},
    "web_search": {"type": "web_search"},
    # The service makes a container for the call.
    "code_interpreter": {"type": "code_interpreter", "container": {"type": "auto"}},
    "image_generation": {"type": "image_generation"},
}
"""The service's own tools that need nothing but their name."""

_NEEDS_MORE = {"file_search": 'tools=[{"type": "file_search", "vector_store_ids": ["vs_…"]}]'}


class Tool:
    """A function the model may call.

    Parameters
    ----------
    function : callable
        Sync or async. Its parameters have type hints.
    name : str, optional
        Else the function's.
    description : str, optional
        Else its docstring's.
    strict : bool
        Whether the service holds the model to the schema.

    Attributes
    ----------
    name, description : str
    strict : bool
    parameters : dict
        JSON Schema of the arguments.
    changes : tuple of str
        What strict mode changed in it.

    Raises
    ------
    ParamError
        A parameter that a model cannot be told.
    ConfigError
        A name the API does not take.
    """

    def __init__(
        self,
        function: Callable[..., Any],
        *,
        name: str | None = None,
        description: str | None = None,
        strict: bool = True,
    ) -> None:
        self.name = tool_name(function, name)
        summary, documented = described(function)
        self.description = description if description is not None else summary
        self.strict = strict
        self._function = function
        self._arguments = Arguments(function, self.name, documented, is_strict=strict)

    @property
    def parameters(self) -> dict[str, Any]:
        """JSON Schema of the arguments."""
        return self._arguments.schema

    @property
    def changes(self) -> tuple[str, ...]:
        """What strict mode changed in the schema."""
        return self._arguments.changes

    def param(self) -> dict[str, Any]:
        """Return its entry in ``tools``."""
        entry = {"type": "function", "name": self.name, "parameters": self.parameters, "strict": self.strict}
        return entry | ({"description": self.description} if self.description else {})

    async def run(self, arguments: str) -> Any:
        """Call the function with arguments as the model wrote them; a sync one runs on a thread of its own.

        Raises
        ------
        ValueError
            The arguments are no JSON, or do not fit.
        Exception
            Whatever the function raises.
        """
        positional, named = self._arguments.bound(_decoded(arguments))
        if inspect.iscoroutinefunction(self._function):
            return await self._function(*positional, **named)
        value = await asyncio.to_thread(self._function, *positional, **named)
        return await value if inspect.isawaitable(value) else value

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call the function as if it were no tool."""
        return self._function(*args, **kwargs)

    def __repr__(self) -> str:
        return f"<Tool {self.name}({', '.join(self.parameters.get('properties', {}))})>"


@overload
def tool(function: Callable[..., Any]) -> Tool: ...
@overload
def tool(
    *, name: str | None = None, description: str | None = None, strict: bool = True
) -> Callable[[Callable[..., Any]], Tool]: ...
def tool(function: Callable[..., Any] | None = None, **settings: Any) -> Any:
    """Make a function a tool; it can still be called as before.

    Parameters
    ----------
    function : callable
        Sync or async, with type hints. Its docstring tells the model what it does.
    **settings
        ``name``, ``description``, ``strict``: see `Tool`.

    Examples
    --------
    >>> import cometnb
    >>> @cometnb.tool
    ... def population(city: str, year: int = 2025) -> int:
    ...     "People living in a city."
    ...     return 3_700_000
    >>> population.parameters["required"]
    ['city', 'year']
    >>> population("Berlin")
    3700000
    """
    if function is None:
        return lambda given: Tool(given, **settings)
    return Tool(function, **settings)


@dataclass(frozen=True, slots=True)
class ToolResult:
    """What a call came to.

    Attributes
    ----------
    name, call_id, arguments : str
        As the model wrote them.
    output : str or list of dict
        What goes back to the model: text, or content parts.
    is_error : bool
        True if the model is told of an error.
    duration_s : float
        Seconds the function ran.
    value : object
        What it returned; the exception if it raised one.
    """

    name: str
    call_id: str
    arguments: str
    output: str | list[dict[str, Any]]
    is_error: bool = False
    duration_s: float = 0.0
    value: Any = field(default=None, compare=False)

    @property
    def item(self) -> dict[str, Any]:
        """The input item that answers the call."""
        return function_call_output(self.call_id, self.output)

    def check(self) -> None:
        """Raise what went wrong, if something did.

        Raises
        ------
        ToolError
            Names the tool and its arguments; the function's own exception is its cause.
        """
        if self.is_error:
            cause = self.value if isinstance(self.value, BaseException) else None
            raise ToolError(
                f"The tool {self.name} failed: {_shown(self.output)}", "Mend the function and ask again."
            ) from cause


_Offered: TypeAlias = Tool | Callable[..., Any] | Mapping[str, Any] | str


class Toolbox:
    """The tools offered in a call.

    Parameters
    ----------
    tools : iterable
        `Tool` objects, functions, names of the service's own tools, and entries of ``tools`` as dicts (MCP servers,
        file search, kinds that are not known here), which pass as they are.
    clock : callable
        Seconds, monotonic.

    Raises
    ------
    ConfigError
        Two tools of one name, a name that is no tool, or a tool that needs more than its name.
    """

    def __init__(
        self, tools: Iterable[_Offered] = (), *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._clock = clock
        self._tools: dict[str, Tool] = {}
        self._entries: list[dict[str, Any]] = []
        for one in tools:
            self._add(one)

    @property
    def runs_functions(self) -> bool:
        """True if a function of the notebook is among them."""
        return bool(self._tools)

    @property
    def changes(self) -> tuple[str, ...]:
        """What strict mode changed in the schemas, each with the tool's name."""
        return tuple(f"{one.name} {change}" for one in self._tools.values() for change in one.changes)

    def params(self) -> list[dict[str, Any]]:
        """Return the value of ``tools``."""
        return [*(one.param() for one in self._tools.values()), *self._entries]

    def offered(self) -> dict[str, Any]:
        """Return what a request says of the tools: ``tools``, or nothing where there are none."""
        return {"tools": self.params()} if len(self) else {}

    async def call(self, call: FunctionCall) -> ToolResult:
        """Run one call; whatever goes wrong becomes a result that tells the model."""
        started_s = self._clock()
        try:
            value = await self._found(call.name).run(call.arguments)
            output, is_error = output_of(value, call.name), False
        except Exception as error:  # noqa: BLE001  # the model is told, and may do better
            value, output, is_error = error, _told(error), True
        duration_s = self._clock() - started_s
        return ToolResult(call.name, call.call_id, call.arguments, output, is_error, duration_s, value)

    async def call_all(self, calls: Sequence[FunctionCall]) -> list[ToolResult]:
        """Run calls side by side and return their results in order."""
        return list(await asyncio.gather(*map(self.call, calls)))

    def __contains__(self, name: object) -> bool:
        return name in self._tools

    def __len__(self) -> int:
        return len(self._tools) + len(self._entries)

    def _found(self, name: str) -> Tool:
        if name not in self._tools:
            raise LookupError(f"There is no tool {name!r}; there are {', '.join(self._tools) or 'none'}.")
        return self._tools[name]

    def _add(self, one: _Offered) -> None:
        if isinstance(one, str):
            if one not in BUILT_IN:
                raise ConfigError(f"{one!r} is no tool of the service.", _step(one))
            self._entries.append(dict(BUILT_IN[one]))
        elif isinstance(one, Mapping):
            self._entries.append(dict(one))
        elif callable(one):
            made = one if isinstance(one, Tool) else Tool(one)
            if made.name in self._tools:
                raise ConfigError(
                    f"Two tools are called {made.name!r}.", 'Name one of them: @cometnb.tool(name="other").'
                )
            self._tools[made.name] = made
        else:
            raise ConfigError(
                f"A {type(one).__name__} is no tool.",
                "Give a function, the name of a built-in tool, or a dict.",
            )


def _step(name: str) -> str:
    if name in _NEEDS_MORE:
        return f"It needs more than a name: {_NEEDS_MORE[name]}"
    return f"Give a function, a dict, or one of {', '.join(BUILT_IN)}."


def _decoded(arguments: str) -> Any:
    if not arguments.strip():
        return {}
    try:
        return json.loads(arguments)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"The arguments are no JSON: {error}") from None


def _told(error: Exception) -> str:
    """Return what the model is told of an exception: its kind and words, no path, no key."""
    return masked(f"Error: {type(error).__name__}: {error}")


def _shown(output: Any) -> str:
    text = output if isinstance(output, str) else json.dumps(output)
    return text if len(text) <= 200 else text[:199] + "…"
