r"""Keys in a text: what counts as one, what is only a placeholder, and how one is shown.

The rule. A key begins with one of the forms below where no letter or digit stands before it, and the rest looks
random: a row of at least ten letters and digits with both among them, of at least six kinds. ``sk-container-id-1``
(the classes of scikit-learn's HTML), ``sk-your-key-here`` and ``sk-1234567890`` are none. A key of a fixed length
need not hold a digit. The rest is no key, either, if it holds a word people write in place of one (your, example,
placeholder, redacted, replace, insert, changeme, api-key, goes-here, xxxx), or if it is short and followed by an
ellipsis or asterisks. The value of an environment variable whose name ends in API_KEY, APIKEY or COMETAPI_KEY is
always a key, in Base64, too, if it has at least eight characters.
"""

from __future__ import annotations

import base64
import html
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from cometnb.errors import KEY_START, masked

__all__ = ["FoundKey", "found_keys", "printable", "secrets_of", "shown_key", "whole_keys"]

_SHORTEST_SECRET = 8
_SHORTENED = 24
# Of one text: more would not be read, and comparing each with each would take long.
_MOST_KEYS = 1_000


class FoundKey(NamedTuple):
    """A key in a text.

    Attributes
    ----------
    key : str
        The key itself; never shown.
    form : str
        What it is, such as ``GitHub token``.
    line : int
        The line it begins in, from 1.
    """

    key: str
    form: str
    line: int


class _Span(NamedTuple):
    """A key where it stands: ``text[start:end]``."""

    start: int
    end: int
    key: str
    form: str


@dataclass(frozen=True, slots=True)
class _Form:
    """A kind of key: what a text that holds one holds, and the pattern that begins with it."""

    name: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    has_digit: bool = True


def _form(name: str, hints: str, pattern: str, *, has_digit: bool = True) -> _Form:
    return _Form(name, tuple(hints.split()), re.compile(pattern, re.ASCII), has_digit)


# Between a name and its value, also where the quotes are escaped once or twice.
_GAP = r"""[\\"'\s]{0,8}[=:,][\\"'\s]{0,8}"""
_FORMS = (
    _form("Anthropic key", "sk-ant-", KEY_START + r"sk-ant-[\w-]{10,}"),
    _form("OpenRouter key", "sk-or-", KEY_START + r"sk-or-[\w-]{10,}"),
    _form(
        "OpenAI key", "sk-proj- sk-svcacct- sk-admin-", KEY_START + r"sk-(?:proj|svcacct|admin)-[\w-]{10,}"
    ),
    _form("API key", "sk-", KEY_START + r"sk-[\w-]{10,}"),
    _form(
        "GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_", KEY_START + r"gh[pousr]_[A-Za-z0-9]{36,}", has_digit=False
    ),
    _form("GitHub token", "github_pat_", KEY_START + r"github_pat_\w{50,}"),
    _form("GitLab token", "glpat-", KEY_START + r"glpat-[\w-]{20,}"),
    _form("AWS key id", "AKIA ASIA", KEY_START + r"A[KS]IA[A-Z0-9]{16}(?![A-Za-z0-9])", has_digit=False),
    _form("Hugging Face token", "hf_", KEY_START + r"hf_[A-Za-z0-9]{30,}", has_digit=False),
    _form("Google key", "AIza", KEY_START + r"AIza[\w-]{35}(?![\w-])", has_digit=False),
    _form("Groq key", "gsk_", KEY_START + r"gsk_[A-Za-z0-9]{40,}"),
    _form("xAI key", "xai-", KEY_START + r"xai-[A-Za-z0-9]{40,}"),
    _form("Slack token", "xoxb- xoxp- xoxa- xoxs- xoxr-", KEY_START + r"xox[bpasr]-[A-Za-z0-9-]{20,}"),
    _form("Stripe key", "sk_live_ rk_live_", KEY_START + r"[sr]k_live_[A-Za-z0-9]{16,}"),
    _form(
        "bearer token",
        "earer",
        r"earer[\\\"'\s:=,]{1,8}(?=[\w.~+/-]{16})(?P<key>[\w~+/-]+(?:\.[\w~+/-]+)*=*)",
    ),
    _form(
        "API key",
        "key KEY Key",
        r"(?:(?<=api|API|Api)|(?<=api_|api-|API_|Api-))(?:key|KEY|Key)"
        + _GAP
        + r"(?P<key>[\w+/-]{16,}=*)(?![\w.(\[+/-])",
    ),
    _form(
        "private key",
        "-----BEGIN",
        r"-----BEGIN[A-Z ]{0,20} PRIVATE KEY-----[\\nr\s]{0,8}(?P<key>[\w+/]{16,})",
    ),
)
_PLACEHOLDER = re.compile(
    r"your|example|placeholder|redacted|replace|insert|change[_-]?me|api[_-]?key|goes[_-]?here|x{4}",
    re.IGNORECASE,
)
_RUN = re.compile(r"[A-Za-z0-9]{10,}")
_ELLIPSIS = re.compile(r"\.\.\.|…|\*\*|••")
_BASE64 = re.compile(r"c2st[A-Za-z0-9+/_-]{16,}")
_TO_STANDARD = str.maketrans("-_", "+/")
_KEY_VARIABLE = re.compile(r"(?:API_?KEY|COMETAPI_KEY)$")
# Colours, as a terminal takes them and as JSON or Python writes them.
_COLOUR = re.compile(r"(?:\x1b|\\x1b|\\033|\\u001[bB])\[[0-9;]*m")
_CODED = re.compile(r"\\u([0-9A-Fa-f]{4})|\\x([0-9A-Fa-f]{2})")


def secrets_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the keys that stand in the environment.

    Parameters
    ----------
    environ : Mapping of str to str
        The environment.

    Returns
    -------
    dict of str to str
        Key to the name of its variable.
    """
    found = {value.strip(): name for name, value in environ.items() if _KEY_VARIABLE.search(name)}
    return {key: name for key, name in found.items() if len(key) >= _SHORTEST_SECRET}


def found_keys(
    text: str, secrets: Mapping[str, str] | None = None, *, plainly: bool = False
) -> list[FoundKey]:
    """Return the keys in a text.

    Parameters
    ----------
    text : str
        Anything. Keys are found also among terminal colours, escaped as JSON, Python or HTML escape, and in Base64.
    secrets : Mapping of str to str, optional
        Keys known beforehand, with the names of their variables.
    plainly : bool
        True looks only at the text as it stands.

    Returns
    -------
    list of FoundKey
        Each key once, in the order of their lines, at most 1,000 of one text.
    """
    readings = (text,) if plainly else _readings(text)
    return whole_keys(key for reading in readings for key in _in_reading(reading, secrets or {}))


def whole_keys(found: Iterable[FoundKey]) -> list[FoundKey]:
    """Return each key once, without those that are a part of another: one reading may cut what another joins."""
    keys = {key.key: key for key in reversed(list(found))}
    whole = (key for key in reversed(keys.values()) if sum(key.key in other for other in keys) == 1)
    return sorted(whole, key=lambda key: key.line)


def shown_key(key: str) -> str:
    """Return a key as it may be shown: at most its first three characters and its last four."""
    if len(key) >= _SHORTENED:
        return f"{key[:3]}…{key[-4:]}"
    return f"{key[:3]}…{key[-2:]}" if len(key) >= 12 else f"…{key[-2:]}"


def printable(text: object, secrets: Mapping[str, str] | None = None, *, width: int = 120) -> str:
    """Return a text of a notebook as one line that is safe to print.

    Parameters
    ----------
    text : object
        Anything; shown as ``str()`` shows it.
    secrets : Mapping of str to str, optional
        Keys known beforehand.
    width : int
        At most so many characters; the middle of a longer text is left out.

    Returns
    -------
    str
        Without control characters, marks of direction and keys.
    """
    # Also no mark of direction, no half of a surrogate pair, and no other kind of space.
    line = " ".join("".join(char if char.isprintable() else " " for char in str(text)).split())
    for found in reversed(found_keys(line, secrets, plainly=True)):
        line = line.replace(found.key, shown_key(found.key))
    line = masked(line)
    half = (width - 1) // 2
    return line if len(line) <= width else f"{line[:half]}…{line[-half:]}"


def _readings(text: str) -> Iterator[str]:
    """Yield a text as it stands, and as it reads without colours and escapes."""
    yield text
    if "\\" in text and (decoded := _CODED.sub(_character, text)) != text:
        yield decoded
        text = decoded
    if "&#" in text:
        yield html.unescape(text)
    if ("\x1b" in text or "\\" in text) and (bare := _COLOUR.sub("", text)) != text:
        yield bare
        # A word before a colour is not part of the key behind it.
        yield _COLOUR.sub(" ", text)


def _character(match: re.Match[str]) -> str:
    return chr(int(match[1] or match[2], 16))


def _in_reading(text: str, secrets: Mapping[str, str]) -> Iterator[FoundKey]:
    # The sort is stable: of two forms that begin alike, the one that stands first in the table.
    end, seen = 0, set[str]()
    for span in sorted(_spans(text, secrets), key=lambda span: span.start):
        if span.start < end or span.key in seen:
            continue
        if len(seen) == _MOST_KEYS:
            return
        end = span.end
        seen.add(span.key)
        yield FoundKey(span.key, span.form, text.count("\n", 0, span.start) + 1)


def _spans(text: str, secrets: Mapping[str, str]) -> Iterator[_Span]:
    for secret, variable in secrets.items():
        for needle, how in _needles(secret):
            if (start := text.find(needle)) >= 0:
                yield _Span(start, start + len(needle), secret, f"value of {variable}{how}")
    for form in _FORMS:
        yield from _of_form(text, form)
    for match in _BASE64.finditer(text) if "c2st" in text else ():
        coded = match[0].translate(_TO_STANDARD)
        decoded = base64.b64decode(coded[: len(coded) // 4 * 4]).decode("latin-1")
        for found in found_keys(decoded, plainly=True):
            yield _Span(*match.span(), found.key, f"{found.form} in Base64")


def _of_form(text: str, form: _Form) -> Iterator[_Span]:
    group = "key" if "key" in form.pattern.groupindex else 0
    for hint in form.hints:
        start = text.find(hint)
        while start >= 0:
            match = form.pattern.match(text, start)
            if match is not None and _is_key(match, form, hint):
                yield _Span(*match.span(group), match[group], form.name)
            # Behind the match: a row of `sk-sk-sk-` is read once.
            start = text.find(hint, match.end() if match is not None else start + len(hint))


def _is_key(match: re.Match[str], form: _Form, hint: str) -> bool:
    body = match["key"] if "key" in form.pattern.groupindex else match[0].removeprefix(hint)
    is_random = any(map(_is_mixed, _RUN.findall(body))) if form.has_digit else len(set(body)) >= 8
    if not is_random or _PLACEHOLDER.search(body):
        return False
    return len(match[0]) >= _SHORTENED or _ELLIPSIS.match(match.string, match.end()) is None


def _is_mixed(run: str) -> bool:
    has_both = any(char.isdigit() for char in run) and any(char.isalpha() for char in run)
    return has_both and len(set(run)) >= 6


def _needles(secret: str) -> Iterator[tuple[str, str]]:
    """Yield how a known key may stand in a text: as it is, and in Base64 wherever in the coded bytes it begins."""
    yield secret, ""
    content = secret.encode("utf-8", "surrogateescape")
    for offset in range(3):
        coded = base64.b64encode(bytes(offset) + content).decode("ascii")
        first, last = -(-offset * 8 // 6), (offset + len(content)) * 8 // 6
        yield coded[first:last], " in Base64"
