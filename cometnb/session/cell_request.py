"""What a line of options and a prompt ask for together: the parameters of the call, filled in and checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from cometnb.errors import CellError
from cometnb.session.cell_line import Arguments
from cometnb.session.prompt import Attached, prompt_of
from cometnb.session.structured import Schema, asking_for, schema_of

__all__ = ["CellRequest", "cell_request"]

# With one of these a call may go without a prompt of its own.
_INSTEAD_OF_PROMPT = frozenset({"prompt", "conversation", "previous_response_id"})


@dataclass(frozen=True, slots=True)
class CellRequest:
    """What is asked for, with the notebook's objects filled in.

    Attributes
    ----------
    params : dict
        Parameters of the call by the API's names, with ``input``; without tools, which `toolbox_of` makes.
    attached : tuple of Attached
        What goes along with the prompt.
    schema : Schema or None
        Of a structured answer; its format is among `params`.
    """

    params: dict[str, Any]
    attached: tuple[Attached, ...] = ()
    schema: Schema | None = None


def cell_request(arguments: Arguments, body: str, namespace: Mapping[str, Any]) -> CellRequest:
    """Fill in a prompt and its options from the notebook's names.

    Parameters
    ----------
    arguments : Arguments
    body : str
        The prompt, with ``{{expression}}`` unless the options say raw.
    namespace : Mapping
        The notebook's names.

    Raises
    ------
    CellError
        There is no prompt, or an expression, an attachment or a schema that cannot be used.
    """
    prompt = prompt_of(
        body,
        namespace,
        images=arguments.images,
        files=arguments.files,
        is_raw=arguments.is_raw,
        detail=arguments.detail,
    )
    params = {"input": _checked(prompt.input, arguments)} | arguments.params
    schema = schema_of(arguments.schema, namespace) if arguments.schema else None
    return CellRequest(asking_for(schema, params), prompt.attached, schema)


def _checked(prompt: str | list[dict[str, Any]], arguments: Arguments) -> str | list[dict[str, Any]]:
    if not isinstance(prompt, str):
        return prompt
    if not prompt.strip() and not _has_another(arguments.params):
        raise CellError("The cell has no prompt.", "Write it in the lines below %%respond.")
    return prompt.strip("\n")


def _has_another(params: Mapping[str, Any]) -> bool:
    """Tell whether a call has something to answer without a prompt; ``--set input=[…]`` says it as items."""
    return bool(_INSTEAD_OF_PROMPT & set(params) or "input" in params.get("extra_body", {}))
