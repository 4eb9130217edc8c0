"""How many tokens a text has: a model of OpenAI's o200k_base that is small enough to read.

The tokenizer cuts a text into pieces before it looks anything up, and no token reaches over such a cut: letters with
the one symbol or space before them, at most three digits, symbols with the line ends behind them, white space. The
same cuts are made here, and further ones where one script meets another. A cut is exact; what a piece costs is not:
it follows from its kind, its length and, for Latin words, from how often the tokenizer splits two neighbouring
letters. Each different piece is worked out once, so a text costs little more than the search for its cuts.

Two rules hold for every text: a part added to it makes it at most one token cheaper, and two parts apart cost at
most one token less than together.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import cache
from itertools import pairwise

__all__ = ["text_tokens"]

# Latin letters beyond ASCII, without the two signs of arithmetic among them.
_LATIN = "\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u1e00-\u1eff"
_LATIN_LETTERS = [chr(code) for code in (*range(0xC0, 0x250), *range(0x1E00, 0x1F00)) if chr(code).isalpha()]
_UPPER = "A-Z" + "".join(letter for letter in _LATIN_LETTERS if letter.isupper())
_LOWER = "a-z\u0300-\u036f" + "".join(letter for letter in _LATIN_LETTERS if not letter.isupper())

# Script -> its letters, the tokens of the first one in a run, the tokens of each further one (never more).
_SCRIPTS: dict[str, tuple[str, float, float]] = {
    "han": ("\u2e80-\u2fdf\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff", 1.12, 0.73),
    "hiragana": ("\u3041-\u309f", 0.73, 0.52),
    "katakana": ("\u30a0-\u30ff\uff66-\uff9f", 0.86, 0.6),
    "hangul": ("\u1100-\u11ff\u3130-\u318f\uac00-\ud7af", 1.12, 0.51),
    "cyrillic": ("\u0400-\u052f", 0.86, 0.19),
    "greek": ("\u0370-\u03ff\u1f00-\u1fff", 0.55, 0.39),
    "arabic": ("\u0610-\u061a\u0620-\u065f\u066e-\u06d3\u06d5-\u06dc\u0750-\u077f", 0.81, 0.24),
    "hebrew": ("\u0591-\u05bd\u05d0-\u05f2", 0.62, 0.41),
    "devanagari": ("\u0900-\u0963\u0971-\u097f", 0.7, 0.24),
    "brahmic": ("\u0980-\u0be3\u0c80-\u0d63", 0.6, 0.37),
    "telugu_to_khmer": ("\u0c00-\u0c63\u0d80-\u0df3\u1000-\u103f\u1780-\u17d3", 0.6, 0.58),
    "thai": ("\u0e01-\u0e4f", 0.5, 0.42),
    "armenian_georgian": ("\u0531-\u0587\u10a0-\u10ff", 0.7, 0.25),
}
# A letter of any other script is two or three bytes to the tokenizer; so is a number that is no plain digit.
_OTHER_LETTER, _OTHER_NUMBER = 2.0, 1.5

_LETTERS = f"A-Za-z\u0300-\u036f{_LATIN}" + "".join(letters for letters, _, _ in _SCRIPTS.values())
_BEFORE = rf"(?:[^\w\r\n{_LETTERS}]|_)?"
_SUFFIX = r"(?:'(?i:[sdmt]|ll|ve|re))?"
_KINDS = {
    "word": f"{_BEFORE}[{_UPPER}]?[{_LOWER}]+{_SUFFIX}",
    "capitals": f"{_BEFORE}[{_UPPER}]+(?![{_LOWER}]){_SUFFIX}",
    "digits": "[0-9]{1,3}",
    **{name: f"{_BEFORE}[{letters}]+" for name, (letters, _, _) in _SCRIPTS.items()},
    "character": r"[^\W_]",
    "symbols": rf" ?(?:[^\w\s{_LETTERS}]++|_++)++[\r\n/]*",
    "white": r"\s*[\r\n]+|\s+(?!\S)|\s+",
}

# How often a word is split between two letters, in steps of 0.07: rows are the left letter, columns the right one,
# both in the order a to z, letters of Latin-1, all others. Fitted to running text in seven languages and to code.
_SPLITS = (
    "9002930605602173512020902547",  # a
    "3966239950900309945009760939",  # b
    "2919089219014907904007360732",  # c
    "3961093927220945960639963089",  # d
    "0520323977934262110272305879",  # e
    "0987230909204309639015790601",  # f
    "7099291037901359644328998099",  # g
    "1991193817540009634018665166",  # h
    "4012300799822000332091929109",  # i
    "4897097729374909582965275909",  # j
    "5961012779485691593468053967",  # k
    "2081215518103910252122090966",  # l
    "2095099949990701992939995914",  # m
    "3900250159546235970050296229",  # n
    "0322100931322001803100302957",  # o
    "2960092345900010610117287626",  # p
    "3858697797995966719709959844",  # q
    "2422050429271019832242350959",  # r
    "5939077129798931360139094949",  # s
    "3705132009045704910139130439",  # t
    "0142141909500360801082948959",  # u
    "0999085905799949799999479755",  # v
    "4698259037779009910999219999",  # w
    "0515339728781691597259630995",  # x
    "8959999759588055630398479899",  # y
    "6999299798989869297057967196",  # z
    "6987728192666549976689966878",  # é, ö, ñ: letters of Latin-1
    "5927699764348299425696742344",  # ş, ł, ộ: all others
)
_STEP = 0.07
_ROWS = {letter: row for row, letter in enumerate("abcdefghijklmnopqrstuvwxyz")}
_ROWS |= dict.fromkeys((letter for letter in _LATIN_LETTERS if letter <= "\xff"), 26)
_OTHER_ROW = 27
# So many expected splits do not yet cut a word: most words are one token.
_UNSPLIT = 0.35
_CAPITAL_FIRST, _AMONG_CAPITALS, _SUFFIX_S, _ACCENT_APART = 0.22, 0.22, 0.55, 0.9
# Of a symbol in front of letters: one of those that code has there, any other, one before letters of `_SCRIPTS`.
_USUAL_BEFORE = frozenset("_.-(/=[:%\\<")
_USUAL_SYMBOL, _OTHER_SYMBOL, _SCRIPT_SYMBOL = 0.15, 0.8, 0.6
# Ukrainian letters that Russian has not.
_RARER_CYRILLIC, _RARER = "іїєґІЇЄҐ", 0.5
# Of symbols and white space: a change from one to another, after the first one; the same once more.
_CHANGE = 0.4
_REPEATED = {" ": 1 / 100, "\t": 1 / 16, "\n": 1 / 16}
_REPEATED_ASCII = 1 / 64


@cache
def _patterns() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    """Return what finds the pieces, what tells their kind, and what tells letters; made when first needed."""
    kinds = "|".join(f"(?P<{name}>{pattern})" for name, pattern in _KINDS.items())
    return re.compile("|".join(_KINDS.values())), re.compile(kinds), re.compile(f"[{_LETTERS}]")


def text_tokens(text: str) -> float:
    """Return about how many tokens `text` has, with fractions; 0.0 for an empty text."""
    pieces = Counter(_patterns()[0].findall(text))
    return sum(_tokens(piece) * times for piece, times in pieces.items())


def _tokens(piece: str) -> float:
    _, kinds, letter = _patterns()
    found = kinds.match(piece)
    kind = found.lastgroup if found else None
    if kind == "digits":
        return 1.0
    if kind == "character":
        return _OTHER_LETTER if piece.isalpha() else _OTHER_NUMBER
    if kind not in ("word", "capitals") and kind not in _SCRIPTS:
        return _run_tokens(piece)
    before, letters = ("", piece) if letter.match(piece) else (piece[0], piece[1:])
    if kind in _SCRIPTS:
        _, first, further = _SCRIPTS[kind]
        rarer = _RARER * sum(map(letters.count, _RARER_CYRILLIC)) if kind == "cyrillic" else 0.0
        return _lead_tokens(before, _SCRIPT_SYMBOL) + first + further * (len(letters) - 1) + rarer
    word, _, suffix = letters.partition("'")
    lead = _USUAL_SYMBOL if before in _USUAL_BEFORE else _lead_tokens(before, _OTHER_SYMBOL)
    lead += _SUFFIX_S * (suffix in ("s", "d"))
    return lead + (_word_tokens(word) if kind == "word" else 1 + _AMONG_CAPITALS * max(0, len(word) - 2))


def _lead_tokens(before: str, usual: float) -> float:
    """Return the tokens of what stands in front of letters: nothing, a space, or a symbol."""
    return 0.0 if before in ("", " ") else max(usual, _symbol_tokens(before) if before > "\u2070" else 0.0)


def _word_tokens(word: str) -> float:
    rows = [_ROWS.get(letter, _OTHER_ROW) for letter in word.lower()]
    splits = _STEP * sum(int(_SPLITS[left][right]) for left, right in pairwise(rows))
    accents = _ACCENT_APART * sum("\u0300" <= letter <= "\u036f" for letter in word)
    splits += _CAPITAL_FIRST * word[0].isupper()
    return 1 + max(0.0, splits - _UNSPLIT) + accents


def _run_tokens(piece: str) -> float:
    """Return the tokens of symbols or white space: what repeats is cheap, what changes is not."""
    run = piece.replace("\r\n", "\n")
    if not run.isspace():
        # The tokenizer knows most symbols together with a space before and a line end behind them.
        run = run.strip(" \r\n")
    total, n_changes = max(1.0, _symbol_tokens(run[0])), 0
    for left, right in pairwise(run):
        if left == right:
            total += _REPEATED.get(right) or (
                _REPEATED_ASCII if right.isascii() else _symbol_tokens(right) / 4
            )
        elif right.isascii():
            n_changes += 1
        else:
            total += _symbol_tokens(right)
    return total + _CHANGE * max(0, n_changes - 1)


def _symbol_tokens(symbol: str) -> float:
    if symbol < "\u2070" or "\u3000" <= symbol < "\u3100" or "\uff00" <= symbol <= "\uffef":
        return 0.7
    if symbol < "\u2c00" or symbol == "\ufe0f":
        return 1.4
    # Emoji are two tokens or three; marks of scripts without a row above are their bytes.
    return 2.0 if symbol > "\uffff" else 3.0
