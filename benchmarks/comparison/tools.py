"""The tools compared, and the cells in which each does the same: what its own documentation shows, with nothing added."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.comparison.environments import Rival

__all__ = ["MODEL", "TOOLS", "UNKNOWN_MODEL", "Tool"]

MODEL = "gpt-5.4"
UNKNOWN_MODEL = "acme-large-1"
"""A model that no table of prices has."""

_PROMPT = "Tell me about the tide."
_SHOW = 'from IPython.display import Markdown, display\ntext, response, handle = "", None, display(Markdown(""), display_id=True)\n'


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool(Rival):
    """One tool. ``BASE_URL`` and ``MODEL`` in its cells stand for what is meant; an empty cell: there is no such thing.

    Attributes
    ----------
    load : str
        The import or ``%load_ext``.
    connect : str
        What makes it ask the server.
    ask : str
        Asks and shows the answer.
    text, usage : str
        Expressions: the answer's text, and its usage, as far as the tool has them.
    cost : str
        An expression that gives the last answer's cost.
    records : str
        An expression that gives the records of all attempts.
    talk : str
        The same question within a conversation.
    streams : bool
        Whether it asks for a stream and shows the answer while it comes.
    limit, no_limit : str
        Cells that set a limit of a ten-millionth of a dollar on what calls may cost, and lift it.
    offline : str
        The question, answered by what the tool brings for tests.
    providers : str
        An expression that counts the kinds of service it names.
    """

    load: str
    connect: str = ""
    ask: str
    text: str
    usage: str
    cost: str = ""
    records: str = ""
    talk: str = ""
    streams: bool = True
    limit: str = ""
    no_limit: str = ""
    offline: str = ""
    providers: str = ""

    @staticmethod
    def cell(code: str, base_url: str, model: str = MODEL) -> str:
        """Return a cell with the places filled in."""
        return code.replace("BASE_URL", base_url).replace("MODEL", model)


TOOLS: tuple[Tool, ...] = (
    Tool(
        name="cometnb",
        slug="cometnb",
        shown=("cometnb",),
        load="%load_ext cometnb",
        connect='%config CometMagics.base_url = "BASE_URL"',
        ask=f"%%respond -m MODEL -e low\n{_PROMPT}",
        text="_.output_text",
        usage="_.usage",
        cost="(_.cost.usd, _.cost.source)",
        records="__import__('cometnb').Ledger().usage()[['status', 'output_tokens', 'reasoning_tokens', 'usage_source', 'cost_usd']].tail(2).to_dict('records')",
        talk=f"%%respond -m MODEL -e low --chat tide\n{_PROMPT}",
        limit="%comet budget 0.0000001",
        no_limit="%comet budget off",
        offline=f"%config CometMagics.backend = 'simulator'\nget_ipython().run_cell_magic('respond', '-m MODEL -e low', {_PROMPT!r})",
        providers="'the Responses API, at one address'",
    ),
    Tool(
        name="openai, by hand",
        slug="openai",
        packages=("openai",),
        shown=("openai",),
        load="from openai import OpenAI",
        connect='client = OpenAI(base_url="BASE_URL")',
        ask=_SHOW
        + f'for event in client.responses.create(model="MODEL", input="{_PROMPT}", reasoning={{"effort": "low"}}, stream=True):\n'
        '    if event.type == "response.output_text.delta":\n'
        "        text += event.delta\n"
        "        handle.update(Markdown(text))\n"
        '    elif event.type == "response.completed":\n'
        "        response = event.response",
        text="text",
        usage="response.usage",
    ),
    Tool(
        name="chatlas",
        slug="chatlas",
        packages=("chatlas", "openai"),
        shown=("chatlas", "openai"),
        load="from chatlas import ChatOpenAI",
        connect='chat = ChatOpenAI(model="MODEL", base_url="BASE_URL", reasoning="low")',
        ask=f'_ = chat.chat("{_PROMPT}")',
        text="chat.get_last_turn().text",
        usage="(chat.get_last_turn().tokens, chat.get_tokens())",
        cost="chat.get_cost()",
        records="chat.get_tokens()",
        talk=f'_ = chat.chat("{_PROMPT}")',
        providers="len([name for name in __import__('chatlas').__all__ if name.startswith('Chat') and name != 'Chat'])",
    ),
    Tool(
        name="lisette",
        slug="lisette",
        # Newer ones of toolslm lack a module that lisette imports; LiteLLM needs mcp for the Responses API.
        packages=("lisette", "toolslm==0.3.42", "mcp"),
        shown=("lisette", "litellm"),
        load="from lisette import *\nfrom lisette.core import display_stream",
        connect='chat = Chat("openai/responses/MODEL", api_base="BASE_URL")',
        ask=f'shown = display_stream(chat("{_PROMPT}", think="l", stream=True))',
        text='chat.hist[-1]["content"]',
        usage="chat.use",
        cost="chat.use.cost",
        records="chat.use",
        talk=f'shown = display_stream(chat("{_PROMPT}", think="l", stream=True))',
        limit="import litellm\nlitellm.max_budget = 0.0000001",
        no_limit="litellm.max_budget = 0",
        offline=f'shown = display_stream(Chat("MODEL")("{_PROMPT}", stream=True, mock_response="The tide turns."))',
        providers="len(__import__('litellm').provider_list)",
    ),
    Tool(
        name="%%ai of Jupyter AI 3",
        slug="jupyter-ai-magic-commands",
        # LiteLLM needs mcp for the Responses API.
        packages=("jupyter-ai-magic-commands", "mcp"),
        shown=("jupyter-ai-magic-commands", "litellm"),
        load="%load_ext jupyter_ai_magic_commands",
        connect="%ai alias served openai/responses/MODEL --api-base BASE_URL\n%ai reset",
        ask=f"%%ai served\n{_PROMPT}",
        text="_.markdown if hasattr(_, 'markdown') else _.data",
        usage="_.metadata",
        talk=f"%%ai served\n{_PROMPT}",
        streams=False,
        limit="import litellm\nlitellm.max_budget = 0.0000001",
        no_limit="litellm.max_budget = 0",
        providers="len(__import__('litellm').provider_list)",
    ),
    Tool(
        name="%%ai of jupyter-ai-magics 2",
        slug="jupyter-ai-magics",
        packages=("jupyter-ai-magics", "langchain-openai"),
        shown=("jupyter-ai-magics", "langchain-openai", "openai"),
        load="%load_ext jupyter_ai_magics",
        connect="%env OPENAI_API_BASE=BASE_URL\n%ai reset",
        ask=f'%%ai openai-chat-custom:MODEL -m {{"use_responses_api":true}}\n{_PROMPT}',
        text="_.data",
        usage="_.metadata",
        talk=f'%%ai openai-chat-custom:MODEL -m {{"use_responses_api":true}}\n{_PROMPT}',
        streams=False,
        providers="len(get_ipython().magics_manager.magics['cell']['ai'].__self__.providers)",
    ),
    Tool(
        name="httpx, by hand",
        slug="httpx",
        packages=("httpx",),
        shown=("httpx",),
        load="import json\nimport httpx",
        connect='client = httpx.Client(base_url="BASE_URL", headers={"Authorization": "Bearer made-up"}, timeout=60)',
        ask=_SHOW
        + f'body = {{"model": "MODEL", "input": "{_PROMPT}", "reasoning": {{"effort": "low"}}, "stream": True}}\n'
        'with client.stream("POST", "/responses", json=body) as answer:\n'
        "    answer.raise_for_status()\n"
        "    for line in answer.iter_lines():\n"
        '        if line.startswith("data: "):\n'
        "            event = json.loads(line[6:])\n"
        '            if event["type"] == "response.output_text.delta":\n'
        '                text += event["delta"]\n'
        "                handle.update(Markdown(text))\n"
        '            elif event["type"] == "response.completed":\n'
        '                response = event["response"]',
        text="text",
        usage='response["usage"]',
    ),
)
"""In the order of the table."""
