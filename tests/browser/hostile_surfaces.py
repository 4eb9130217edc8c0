"""Every place where words of a model, a service, a tool or a file are shown: a notebook's cells that fill them all."""

from __future__ import annotations

__all__ = ["CONFIRM", "PANEL", "SURFACES", "setup"]

_SETUP = """
import os, tempfile, warnings
# Presets are kept in a folder that other tests look into.
os.environ["XDG_CONFIG_HOME"] = tempfile.mkdtemp()
import cometnb
from tests.browser.hostile_service import Hostile
service = Hostile()
words = service.words = {words!r}
one_line = " ".join(words.split())
os.environ |= {{"COMETAPI_KEY": "sk-of-no-service-at-all", "COMETAPI_BASE_URL": service.base_url}}
get_ipython().run_line_magic("load_ext", "cometnb")
get_ipython().run_line_magic("comet", "simulator off")
warnings.simplefilter("ignore")

def ask(kind, options="", prompt="Hello"):
    service.kind = kind
    get_ipython().run_cell_magic("respond", options, prompt)
    return get_ipython().user_ns.get("_answer")

def trying(act):
    try:
        return act()
    except Exception:
        get_ipython().showtraceback()

def told(text: str) -> str:
    "Repeats a text."
    return text + words

def fails(text: str) -> str:
    "Fails with a text."
    raise ValueError(words)
"""

CONFIRM = 'ask("call", "--tools told,fails --confirm")'
"""Asks a person before each of two functions runs."""

PANEL = (
    "panel = cometnb.panel(words, model=one_line, instructions=words)\n"
    "service.kind = 'all'\npanel.save_preset('mine', replace=True)\npanel"
)
"""A panel, to be run and looked through."""

SURFACES: dict[str, str] = {
    "usage widget": "%comet usage --live",
    "budget of a chat": "%comet budget 100 --per chat --allow-unpriced",
    "answer": 'ask("all", "--out _answer")',
    "schema": 'ask("rows", "--schema \'[name, note]\' --df rows")\nrows',
    "tool cards": 'ask("call", "--tools told,fails")',
    "error": 'trying(lambda: ask("error"))',
    "failed": 'trying(lambda: ask("failed"))',
    "chat": 'ask("text", "--chat words", words)\nask("text", "--chat words", words)',
    "tree": "%comet tree words",
    "chats": "%comet chats",
    "background": 'ask("text", "--background")',
    "request": "import pathlib\n"
    'name = "".join(one for one in one_line if one.isprintable() and one != "/")[:60] + ".md"\n'
    'pathlib.Path(name).write_text(words)\ntrying(lambda: ask("text", "--dry-run --file name", words))',
    "code": 'ask("text", "--as python", words)\nask("text", "--as curl", words)',
    "last": "%comet last",
    "last as code": "%comet code json",
    "sweep": "service.kind = 'all'\ncometnb.sweep(words, model=[one_line, 'plain'], effort=['low', 'high'])",
    "sweep of prompts": "service.kind = 'text'\ncometnb.sweep([words, one_line], model=['a', 'b'])",
    "heat": "from cometnb.ledger.plots.heat import plot_heat\n"
    "frame = cometnb.sweep.last.frame.assign(**{one_line: 1.0})\nplot_heat(frame, 'prompt', 'model', one_line);",
    "usage": "cometnb.usage()",
    "cost": "%comet cost --by model",
    "plot": "%comet plot cost --by model",
    "plot of times": "%comet plot latency",
    "plot of an answer": "%comet plot timeline",
    "models": "%comet models",
    "doctor": "%comet doctor",
    "prices": 'get_ipython().run_line_magic("comet", "prices")',
    "batch": 'service.kind = "text"\nimport pandas as pd\n'
    'cometnb.respond_frame(pd.DataFrame({"text": [words, one_line]}), "Say {{ text }}")',
    "status": "%comet status",
    "shared": "trying(lambda: cometnb.panel().load(words))",
    # Last, as it may put a cell below itself.
    "code cell": 'ask("text", "--code")',
}
"""Name of the surface to the cell that fills it."""


def setup(words: str) -> str:
    """Return the first cell: a service that says `words`, and cometnb asking it."""
    return _SETUP.format(words=words)
