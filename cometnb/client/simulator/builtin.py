"""The tools that a service runs itself, played: items, events and findings that look right and are made up."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from cometnb.client.simulator.outputs import Step, ToolItem
from cometnb.client.simulator.pictures import png_base64
from cometnb.client.simulator.plausible import name_words
from cometnb.client.simulator.sums import SUMS
from cometnb.client.simulator.tokens import split_tokens

__all__ = ["BUILT_IN", "Finding", "ToolRequest", "Use", "is_meant", "kind_of"]

_SOURCES, _RESULTS, _OUTPUTS = (
    "web_search_call.action.sources",
    "file_search_call.results",
    "code_interpreter_call.outputs",
)
_SEARCH_TOKENS, _IMAGE_TOKENS = 24, 60
_QUERY_WORDS = 8


class Finding(NamedTuple):
    """A sentence for the answer, and the citation that hangs on the words in it.

    Attributes
    ----------
    sentence : str
    cited : str
        The part of the sentence that is the citation.
    annotation : Mapping
        Without its place in the text.
    """

    sentence: str
    cited: str
    annotation: Mapping[str, Any]


class Use(NamedTuple):
    """What using a tool gives: its item, and what the answer says of it."""

    item: ToolItem
    findings: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolRequest:
    """What a tool is used for.

    Attributes
    ----------
    tool : Mapping
        As it was offered.
    prompt : str
        The user's words.
    include : collection of str
        What the request wants to see.
    key : bytes
        At least 16 bytes that choose what is found.
    digits : str
        48 hex digits for the item's id, all its own.
    """

    tool: Mapping[str, Any]
    prompt: str
    include: Collection[str]
    key: bytes
    digits: str

    @property
    def query(self) -> str:
        """The prompt's first words, as one would search for them."""
        return " ".join(name_words(self.prompt)[:_QUERY_WORDS]) or "simulator"

    @property
    def topic(self) -> str:
        """The longest of them."""
        return max(self.query.split(), key=len)

    def made_id(self, prefix: str) -> str:
        """Return an id that goes with the item's own."""
        return f"{prefix}{hashlib.sha256(f'{prefix}{self.digits}'.encode()).hexdigest()[:24]}"


def kind_of(tool: Mapping[str, Any]) -> str:
    """Return the kind of a tool, without the marks of previews and dates; empty if it is not played here."""
    kind = str(tool.get("type")).partition("_preview")[0].partition("_2")[0]
    return kind if kind in BUILT_IN else ""


def is_meant(tool: Mapping[str, Any], prompt: str) -> bool:
    """Tell whether a prompt speaks of what a tool does."""
    row = BUILT_IN.get(kind_of(tool))
    return row is not None and not set(row.words).isdisjoint(name_words(prompt))


def _web_search(request: ToolRequest) -> Use:
    titles = [f"{request.topic.capitalize()} {word}" for word in ("explained", "in short", "today")]
    pages = [f"https://example.org/{request.topic}/{n}" for n in range(1, 4)]
    action: dict[str, Any] = {"type": "search", "query": request.query, "queries": [request.query]}
    if _SOURCES in request.include:
        action["sources"] = [{"type": "url", "url": page} for page in pages]
    item = _searched(f"ws_{request.digits}", "web_search_call", {"action": action})
    findings = []
    for title, page in list(zip(titles, pages, strict=True))[: 1 + request.key[8] % 2]:
        link = f"[{title}]({page})"
        sentence = f"A page that does not exist says more about {request.topic}: {link}."
        findings.append(Finding(sentence, link, {"type": "url_citation", "url": page, "title": title}))
    return Use(item, tuple(findings))


def _file_search(request: ToolRequest) -> Use:
    names = [f"{request.topic}.md", "notes.txt"][: 1 if request.tool.get("max_num_results") == 1 else 2]
    results = [
        {
            "attributes": {},
            "file_id": request.made_id(f"file-{n}"),
            "filename": name,
            "score": round(0.93 - 0.17 * n, 2),
            "text": f"Made up by the simulator: a passage of {name} about {request.topic}.",
        }
        for n, name in enumerate(names)
    ]
    shown = results if _RESULTS in request.include else None
    item = _searched(
        f"fs_{request.digits}", "file_search_call", {"queries": [request.query], "results": shown}
    )
    first = results[0]
    cited = f"`{first['filename']}`"
    annotation = {"type": "file_citation", "file_id": first["file_id"], "filename": first["filename"]}
    return Use(item, (Finding(f"The search in your files was played; it names {cited}.", cited, annotation),))


def _searched(item_id: str, kind: str, fields: Mapping[str, Any]) -> ToolItem:
    steps = (
        Step(f"{kind}.in_progress"),
        Step(f"{kind}.searching"),
        Step(f"{kind}.completed", n_tokens=_SEARCH_TOKENS),
    )
    begun: dict[str, Any] = {"results": None} if "results" in fields else {}
    if "action" in fields:
        begun["action"] = {"type": "search", "query": fields["action"]["query"]}
    if "queries" in fields:
        begun["queries"] = []
    first = {"type": kind, "status": "in_progress", **begun}
    return ToolItem(item_id, first, {"type": kind, "status": "completed", **fields}, steps)


def _code_interpreter(request: ToolRequest) -> Use:
    given = request.tool.get("container")
    container_id = given if isinstance(given, str) else request.made_id("cntr_")
    chosen, n = SUMS[request.key[9] % len(SUMS)], 2 + request.key[10] % 20
    code = f"n = {n}\nprint(sum({chosen.term} for k in range(1, n + 1)))"
    outputs: list[dict[str, Any]] = [{"type": "logs", "logs": f"{chosen.value(n)}\n"}]
    if not _PICTURE_WORDS.isdisjoint(name_words(request.prompt)):
        outputs.append(
            {"type": "image", "url": f"data:image/png;base64,{png_base64(request.key[11], 64, 64)}"}
        )
    kind, item_id = "code_interpreter_call", f"ci_{request.digits}"
    shared = {"type": kind, "container_id": container_id}
    last = {"status": "completed", "code": code, "outputs": outputs if _OUTPUTS in request.include else None}
    item = ToolItem(
        item_id,
        {**shared, "status": "in_progress", "code": "", "outputs": None},
        {**shared, **last},
        tuple(_code_steps(code)),
    )
    sentence = f"The interpreter was played too; for its code it would print {chosen.value(n)}."
    return Use(item, (Finding(sentence, "", {}),))


def _code_steps(code: str) -> Iterator[Step]:
    kind = "code_interpreter_call"
    yield Step(f"{kind}.in_progress")
    for token in split_tokens(code):
        yield Step(f"{kind}_code.delta", {"delta": token}, 1)
    yield Step(f"{kind}_code.done", {"code": code})
    yield Step(f"{kind}.interpreting")
    yield Step(f"{kind}.completed")


def _image_generation(request: ToolRequest) -> Use:
    tool, kind = request.tool, "image_generation_call"
    sides = re.fullmatch(r"(\d{1,4})x(\d{1,4})", str(tool.get("size")))
    width, height = (int(sides[1]), int(sides[2])) if sides else (256, 256)
    picture = png_base64(request.key[12], width, height)
    shown = {
        "background": "opaque",
        "output_format": "png",
        "quality": tool.get("quality") if tool.get("quality") in ("low", "medium", "high") else "low",
        "size": f"{min(width, 2048)}x{min(height, 2048)}",
    }
    partial = tool.get("partial_images")
    n_partial = min(3, partial) if isinstance(partial, int) else 0
    steps = [Step(f"{kind}.in_progress"), Step(f"{kind}.generating")]
    for index in range(n_partial):
        coarse = {
            "partial_image_index": index,
            "partial_image_b64": png_base64(request.key[12] + index + 1, 32, 32),
        }
        steps.append(Step(f"{kind}.partial_image", {**coarse, **shown}, _IMAGE_TOKENS / (n_partial + 1)))
    steps.append(Step(f"{kind}.completed", n_tokens=_IMAGE_TOKENS / (n_partial + 1)))
    prompt = f"Made up by the simulator: bands of colour for {request.query}"
    first = {"type": kind, "status": "in_progress", "result": None}
    last = {"type": kind, "status": "completed", "revised_prompt": prompt, "result": picture, **shown}
    item = ToolItem(f"ig_{request.digits}", first, last, tuple(steps))
    return Use(item, (Finding("The picture shows bands of colour, whatever was asked for.", "", {}),))


@dataclass(frozen=True, slots=True)
class _Row:
    """How a tool is played, and the words of a prompt that mean it."""

    use: Callable[[ToolRequest], Use]
    words: frozenset[str]


_PICTURE_WORDS = frozenset(["plot", "chart", "figure", "graph", "histogram", "draw", "picture", "image"])
BUILT_IN: dict[str, _Row] = {
    "web_search": _Row(
        _web_search,
        frozenset(
            [
                "search",
                "web",
                "internet",
                "online",
                "news",
                "today",
                "latest",
                "current",
                "recent",
                "look",
                "source",
                "sources",
            ]
        ),
    ),
    "file_search": _Row(
        _file_search,
        frozenset(["file", "files", "document", "documents", "notes", "handbook", "policy", "manual"]),
    ),
    "code_interpreter": _Row(
        _code_interpreter,
        frozenset(
            [
                "python",
                "code",
                "compute",
                "calculate",
                "run",
                "solve",
                "plot",
                "chart",
                "simulate",
                "statistics",
            ]
        ),
    ),
    "image_generation": _Row(
        _image_generation,
        frozenset(
            [
                "image",
                "picture",
                "draw",
                "drawing",
                "paint",
                "painting",
                "logo",
                "photo",
                "illustration",
                "sketch",
            ]
        ),
    ),
}
