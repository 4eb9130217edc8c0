"""A conversation: turns owned by cells, kept by the service where it can, and always here."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Self

from cometnb.config.regular import whole_bytes
from cometnb.errors import BadRequestError, CellError, CometError, ConfigError, NotFoundError
from cometnb.options import user_path
from cometnb.protocol.counted import counted
from cometnb.protocol.depth import MOST_LEVELS, is_too_deep
from cometnb.protocol.items import input_items, message
from cometnb.protocol.keyless import keyless
from cometnb.protocol.response import Response
from cometnb.session.history import as_input, open_calls
from cometnb.session.turns import WHOLE, Turn, Turns

__all__ = ["ENCRYPTED", "Conversation", "Forgetful"]

ENCRYPTED = "reasoning.encrypted_content"
"""What `include` asks for where the service keeps nothing."""

_FORMAT, _VERSION = "cometnb-conversation", 1
_LARGEST_BYTES = 512_000_000
_TURN_FIELDS = tuple(field.name for field in fields(Turn))
# Only models that reason take it; the others answer such an `include` with an error.
_REASONS = re.compile(r"(?:^|/)(?:gpt-(?:[5-9]|\d\d)|o\d)")


class Forgetful:
    """The services that turned out not to keep conversations, by base URL and model."""

    def __init__(self) -> None:
        self._known: set[tuple[str, str]] = set()

    def __contains__(self, place: object) -> bool:
        return place in self._known

    def add(self, base_url: str, model: str) -> None:
        """Remember one; its conversations are sent whole from now on."""
        self._known.add((base_url, model))

    def discard(self, base_url: str, model: str) -> None:
        """Forget one; the next call tries again."""
        self._known.discard((base_url, model))

    def clear(self) -> None:
        """Forget all, so that the next call tries again."""
        self._known.clear()


class Conversation:
    """A tree of turns, with a head that the next question is asked after.

    Parameters
    ----------
    name : str
        What people call it, and what its rows in the ledger say.
    conversation_id : str, optional
        The id of a conversation object at the service, which then keeps the turns in its own order; no turn can be
        replaced in it.
    forgetful : Forgetful, optional
        Shared knowledge of services that keep nothing.

    Attributes
    ----------
    name : str
    conversation_id : str
    turns : Turns
    remarks : list of str
        What the user is to be told with the next answer, such as that the service keeps nothing.

    Examples
    --------
    >>> from cometnb.session.conversation import Conversation
    >>> chat = Conversation("demo")
    >>> turn = chat.begin("What is pi?")
    >>> chat.request(turn, "https://example.org/v1", {})["input"]
    [{'role': 'user', 'content': 'What is pi?'}]
    """

    def __init__(
        self, name: str = "", *, conversation_id: str = "", forgetful: Forgetful | None = None
    ) -> None:
        self.name = name
        self.conversation_id = conversation_id
        self.turns = Turns()
        self.remarks: list[str] = []
        self.forgetful = forgetful if forgetful is not None else Forgetful()

    @property
    def path(self) -> list[Turn]:
        """The turns that lead to the head, the first question first."""
        return self.turns.path_to(self.turns.get(self.turns.head_id))

    def begin(self, input: Any, *, owner: str = "", after: str | None = None) -> Turn:  # the API's own word
        """Begin a turn; nothing is kept of it before `settle`.

        Parameters
        ----------
        input : str or list
            The question, or input items.
        owner : str
            The cell that asks. One that has asked before asks again after the same turn as then.
        after : str, optional
            A turn's or a response's id to ask after, instead of the head; this branches.

        Raises
        ------
        CellError
            If `after` is in no turn of this conversation.
        """
        before = self._owned(owner)
        if after is not None:
            parent_id: str | None = self._found(after).turn_id
        elif before is not None:
            parent = self.turns.get(before.parent_id)
            parent_id = self.turns.latest(parent).turn_id if parent is not None else None
        else:
            parent_id = self.turns.head_id
        given = input_items(input)
        items = [message(given)] if isinstance(given, str) else given
        turn = Turn(uuid.uuid4().hex[:8], parent_id, owner, items=list(items), n_input=len(items))
        turn.prompt = _words(items)
        return turn

    def request(self, turn: Turn, base_url: str, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return what has to be sent next for a turn.

        Parameters
        ----------
        turn : Turn
            What it holds beyond its last response is new.
        base_url : str
            Who is asked.
        params : Mapping
            The other parameters; `model` and `store` decide whether the service keeps what came before.

        Returns
        -------
        dict
            `params` with `input`, and with `previous_response_id` or `conversation` where the service keeps what
            came before; else all of it is in `input`.
        """
        params = self._inheriting(turn, params)
        own = [*turn.items[: turn.n_input], *as_input(turn.items[turn.n_input :])]
        if self.conversation_id:
            return {**params, "conversation": self.conversation_id, "input": turn.items[turn.n_kept :]}
        path = [*self.turns.path_to(self.turns.get(turn.parent_id)), turn]
        keeps = (
            params.get("store") is not False
            and (base_url, str(params.get("model") or "")) not in self.forgetful
        )
        at = next((n for n in reversed(range(len(path))) if keeps and path[n].place == base_url), None)
        if at is None:
            earlier = as_input(item for one in path[:-1] for item in one.items)
            return {**_carrying(params), "input": [*earlier, *own]}
        kept = path[at]
        news = [*kept.items[kept.n_kept :], *open_calls(kept.items)]
        if kept is not turn:
            news += [*as_input(item for one in path[at + 1 : -1] for item in one.items), *own]
        return {**params, "previous_response_id": kept.response_ids[-1], "input": news}

    def add(self, turn: Turn, response: Response, base_url: str, params: Mapping[str, Any]) -> None:
        """Take a round's answer into its turn."""
        turn.items += response.output
        turn.n_kept = len(turn.items)
        turn.status, turn.model = response.status, str(params.get("model") or "")
        turn.instructions = params.get("instructions")
        if response.id:
            turn.response_ids.append(response.id)
        is_kept = params.get("store") is not False and response.raw.get("store") is not False
        is_whole = response.id is not None and response.status in WHOLE
        turn.place = base_url if is_kept and is_whole else ""
        if params.get("previous_response_id") and response.raw.get("previous_response_id", "") is None:
            self.forget_at(base_url, params, "dropped previous_response_id")

    def settle(self, turn: Turn) -> None:
        """Keep a turn that has ended and make it the head; it takes the place of its cell's last one.

        A turn that nothing was answered to leaves everything as it was.
        """
        if len(turn.items) == turn.n_input and turn.status not in WHOLE:
            return
        before = self._owned(turn.owner)
        if before is not None:
            before.replaced_by = turn.turn_id
        self.turns.add(turn)
        self.turns.head_id = turn.turn_id

    def is_refused(self, error: CometError, sent: Mapping[str, Any]) -> bool:
        """Tell whether a call was refused because the service does not have what it was to go on from.

        A service that takes the id and ignores it sees results of calls that it has never heard of, and refuses
        them in words of its own.
        """
        response_id = sent.get("previous_response_id")
        if response_id is None or not isinstance(error, BadRequestError | NotFoundError):
            return False
        if any(str(item.get("type")).endswith("_call_output") for item in sent["input"]):
            return True
        named = f"{error.param} {error.code} {error.fact}"
        return "previous_response" in named or str(response_id) in named or error.code == "response_not_found"

    def forget_at(self, base_url: str, params: Mapping[str, Any], why: str) -> None:
        """Remember that a service keeps nothing of this model's conversations; they are sent whole from now on."""
        self.forgetful.add(base_url, str(params.get("model") or ""))
        self.remarks.append(f"The service {why}: it keeps no conversation, so the history is sent along.")

    def remember_at(self, base_url: str, params: Mapping[str, Any]) -> None:
        """Take back what `forget_at` noted: the whole history was refused just the same."""
        self.forgetful.discard(base_url, str(params.get("model") or ""))
        self.remarks.pop()

    def save(self, path: str | Path) -> None:
        """Write all turns to a JSON file, with prompts and answers as they are, except for API keys in them.

        Raises
        ------
        ConfigError
            If the file cannot be written.
        """
        turns = [{name: getattr(turn, name) for name in _TURN_FIELDS} for turn in self.turns]
        saved = {"format": _FORMAT, "version": _VERSION, "name": self.name, "head_id": self.turns.head_id}
        saved |= {"conversation_id": self.conversation_id, "turns": turns}
        try:
            text = json.dumps(keyless(saved), ensure_ascii=False, indent=1)
            # Half of a character, which a model may write, is no UTF-8.
            user_path(path).write_bytes(f"{text}\n".encode("utf-8", "replace"))
        except OSError as error:
            raise ConfigError(
                f"{path} cannot be written: {error.strerror}.", "Choose another file."
            ) from None

    @classmethod
    def load(cls, path: str | Path, **settings: Any) -> Self:
        """Read a conversation that `save` wrote.

        Raises
        ------
        ConfigError
            If the file is none, or of a newer cometnb.
        """
        saved = _read(user_path(path))
        chat = cls(
            str(saved.get("name") or ""), conversation_id=str(saved.get("conversation_id") or ""), **settings
        )
        try:
            for given in saved["turns"]:
                chat.turns.add_new(Turn(**{name: given[name] for name in _TURN_FIELDS}))
            chat.turns.head_id = saved["head_id"]
            chat.turns.check()
        except (KeyError, TypeError, ValueError) as error:
            raise _no_conversation(path, f"{type(error).__name__}: {error}") from None
        return chat

    def _owned(self, owner: str) -> Turn | None:
        # A conversation object keeps its own order: nothing in it can be replaced.
        return None if self.conversation_id else self.turns.owned_by(owner)

    def _found(self, name: str) -> Turn:
        turn = self.turns.find(name)
        if turn is None:
            step = "Run the cell that binds it, or take an id that %comet tree shows."
            raise CellError(f"The conversation {self.name!r} has no turn or response {name!r}.", step)
        return turn

    def _inheriting(self, turn: Turn, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return `params` with the instructions of the turn before, which the service does not carry over."""
        parent = self.turns.get(turn.parent_id)
        inherited = (
            {} if parent is None or parent.instructions is None else {"instructions": parent.instructions}
        )
        return {**inherited, **params}

    def __repr__(self) -> str:
        n_path = len(self.path)
        return (
            f"<Conversation {self.name!r}, {counted(n_path, 'turn')} to the head, {len(self.turns)} in all>"
        )


def _carrying(params: dict[str, Any]) -> dict[str, Any]:
    """Return `params` that ask for reasoning in a form that can be sent back, where it is kept nowhere else."""
    if params.get("store") is not False or not _REASONS.search(str(params.get("model") or "")):
        return params
    include = list(params.get("include") or ())
    return params if ENCRYPTED in include else {**params, "include": [*include, ENCRYPTED]}


def _words(items: Sequence[Mapping[str, Any]]) -> str:
    """Return the text of input items, for people."""
    texts = []
    for item in items:
        content = item.get("content")
        if isinstance(content, str):
            texts.append(content)
        parts = content if isinstance(content, list) else ()
        texts += [
            str(part.get("text") or f"[{str(part.get('type')).removeprefix('input_')}]") for part in parts
        ]
    return "\n".join(texts)


def _read(path: Path) -> dict[str, Any]:
    try:
        saved = json.loads(whole_bytes(path, _LARGEST_BYTES))
        # An escape may stand for half of a character, which can neither be shown nor sent.
        json.dumps(saved, ensure_ascii=False).encode()
    except OSError as error:
        raise ConfigError(
            f"{path} cannot be read: {error.strerror}.", "Give the path of a saved conversation."
        ) from None
    except (ValueError, RecursionError) as error:
        raise _no_conversation(path, str(error)) from None
    if is_too_deep(saved):
        raise _no_conversation(path, f"it has more than {MOST_LEVELS} levels")
    if not isinstance(saved, dict) or saved.get("format") != _FORMAT:
        raise _no_conversation(path, f"its format is not {_FORMAT}")
    if saved.get("version") != _VERSION:
        raise ConfigError(
            f"{path} is a conversation of version {saved.get('version')}; this cometnb knows {_VERSION}.",
            "pip install --upgrade cometnb",
        )
    return saved


def _no_conversation(path: str | Path, why: str) -> ConfigError:
    return ConfigError(f"{path} is no saved conversation: {why}.", "Save one with Conversation.save(path).")
