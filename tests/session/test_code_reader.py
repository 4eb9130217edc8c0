"""Code as people paste it: read for the request it makes, never run, and told plainly where it is not literal."""

from __future__ import annotations

import json
import shlex
import subprocess
import warnings
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cometnb.errors import CellError, CometWarning
from cometnb.session.code_reader import read_code
from cometnb.session.settings import Settings
from tests.needs import tool
from tests.session.requests_at_random import TEXTS

_ASKED = Settings("it's", {"model": "m"})

_PYTHON = [
    "client.respond(\"it's\", model='m')",
    "import cometnb\nprint(cometnb.respond(input=\"it's\", model='m', user=None, labels=None))",
    "async def f():\n    r = await client.respond('it' \"'s\", **{'model': 'm'}, chat=None)",
    "client.responses.create(model='m', input=\"it's\", timeout=3, extra_headers=h(), user=NOT_GIVEN)",
    "client.responses.create(model='m', extra_body={'input': \"it's\"}, user=openai.omit)",
    "body = {'model': model, **rest}\nmodel = 'm'\nrest = dict(input=f\"it's\")\nhttpx.post(url(), json=body)",
    """requests.post(URL, headers={'Authorization': 'Bearer sk-canary1234567'}, data=json.dumps({
        'model': 'm', 'input': "it's"}).encode())""",
    'httpx.post(URL, content=\'{"model": "m", "input": "it\\\'s"}\')',
    "    session.request('POST', URL, json={'model': 'm', 'input': 'it' + \"'s\"})",
    "%pip install cometnb\n!ls\nclient = cometnb.Client(api_key='sk-canary1234567')\nclient.respond(\"it's\", model='m')",
    "{'model': 'm', 'input': \"it's\",}",
    "body = {'model': 'm', 'input': \"it's\"}",
]
_CURL = [
    'curl https://api.example.org/v1/responses -d \'{"model": "m", "input": "it\'"\'"\'s"}\'',
    '$ KEY=1 curl -s https://x \\\n  -H "Authorization: Bearer $KEY" \\\n  --json \'{"model": "m", "input": "it\\u0027s"}\'',
    'curl x -d "{\\"model\\": \\"m\\", \\"input\\": \\"it\'s\\"}" > out.json 2>&1',
    'curl x --data-raw $\'{"model": "m", "input": "it\\\'s"}\' | jq .output',
    'export K=1\n!curl x --data={"model":"m","input":"it\\\'s"} && echo'.replace('"', '\\"'),
    'curl x --data-binary @- <<\'JSON\'\n{"model": "m",\n "input": "it\'s"}\nJSON\necho done',
    'cat x\ncurl x -d@- <<EOF | jq\n{"model": "m", "input": "it\'s"}\nEOF',
    'curl x -d\'{"model": "m", "input": "it\\u0027s"}\'',
]
_OTHER = [
    '{"model": "m", "input": "it\'s"}',
    '\ufeff\n```json\n{"model": "m",\r\n "input": "it\'s"}\n```\n',
    "%%respond -m m\nit's\n",
    "\n\n%%respond --model=m\n\nit's",
    "%%respond -m m --set 'input=\"it\\u0027s\"'\n\n",
]


@pytest.mark.parametrize("text", [*_PYTHON, *_CURL, *_OTHER])
def test_the_request_is_read(text: str) -> None:
    """However it is written, it is the same request; keys, addresses and what concerns the output are left out."""
    assert read_code(text) == _ASKED


def test_streams_are_read_as_such() -> None:
    """Both clients have a call for it."""
    for code in ("client.stream('x', model='m')", "client.responses.stream(input='x', model='m')"):
        assert read_code(f"with {code} as s:\n    pass").params == {"model": "m", "stream": True}


def test_tools_and_schema_keep_their_names() -> None:
    """They are looked up in the notebook when the call is made."""
    read = read_code("cometnb.respond('x', tools=[f, 'web_search', {'type': 'mcp'}], schema=list[Person])")
    assert (read.tools, read.schema) == (("f", "web_search", {"type": "mcp"}), "list[Person]")
    assert read_code("cometnb.respond('x', schema='name, age int')").schema == "name, age int"
    assert read_code("client.responses.parse(input='x', text_format=Person)").schema == "Person"


def test_a_client_settles_what_a_body_does_not() -> None:
    """None is not set for a client and null in a body; a refused value stays a refused one for a client."""
    ours = read_code("client.respond('x', temperature=9, user=None)")
    sent = read_code('{"input": "x", "temperature": 9, "user": null}')
    assert ours.params == {"temperature": 9}
    assert sent.params == {"extra_body": {"temperature": 9, "user": None}}


def test_braces_in_code_stay_braces() -> None:
    """What was literal in code is literal in the cell it becomes."""
    assert read_code("client.respond('{{x}}', instructions='{{y}}')").is_raw


def test_a_prompt_may_hold_a_command() -> None:
    """A line of it that begins with curl does not make it one."""
    read = read_code('client.respond("""What does this do?\ncurl https://x -d 1\n%foo\n""")')
    assert read.prompt == "What does this do?\ncurl https://x -d 1\n%foo\n"


def test_a_cell_keeps_its_expressions() -> None:
    """Nothing is evaluated; a variable that a text is taken from becomes an expression."""
    cell = "%%respond -s style --user '{{me}}' -t warm --tools f\nHi {{1/0}}"
    read = read_code(cell, {"style": "short", "warm": 1.5, "f": len})
    assert (read.prompt, read.tools) == ("Hi {{1/0}}", ("f",))
    assert read.params == {"instructions": "{{style}}", "user": "{{me}}", "temperature": 1.5}


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("%%respond --sweep effort=low,high\nHi", "--sweep asks many calls"),
        ("%%respond --repeat 3\nHi", "--repeat asks many calls"),
        ("%%respond --chat plan\nHi", "--chat sends a conversation"),
        ("%%respond --from resp_1\nHi", "--from sends a conversation"),
        ("%%respond --tools f --confirm\nHi", "--confirm asks before functions run"),
        ("cometnb.respond('Hi', chat='plan')", "Line 1: chat= sends a conversation"),
    ],
)
def test_what_settings_cannot_say_is_refused(text: str, fact: str) -> None:
    """Rather than read as a call that asks something else."""
    with pytest.raises(CellError) as caught:
        read_code(text)
    assert fact in caught.value.fact


def test_what_is_left_out_of_a_cell_is_said() -> None:
    """Nothing else is said, and a cell without such options says nothing."""
    with pytest.warns(
        CometWarning, match=r"Left out, as no part of the request: --out, --df, --tag\."
    ) as noted:
        read = read_code("%%respond --out x --tag t --schema 'name' --df rows -t 1\nHi")
    assert [one.filename for one in noted] == [__file__]
    assert (read.params, read.schema) == ({"temperature": 1}, "name")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read_code("%%respond -t 1\nHi")
        read_code("cometnb.respond('Hi', chat=None)")


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (
            "import cometnb\ncometnb.respond('Hi', tools=[f], max_rounds=3, labels={'tag': tag()})",
            "max_rounds=, labels=",
        ),
        ("r = client.stream('Hi', max_rounds=2, tag=None)", "max_rounds="),
        ("sweep.respond('Hi', max_concurrency=4, tag='a')", "max_concurrency=, tag="),
    ],
)
def test_what_is_left_out_of_a_call_is_said(text: str, names: str) -> None:
    """A panel has no place for it, and the functions of a run would go further than the code says."""
    with pytest.warns(CometWarning) as noted:
        assert read_code(text).prompt == "Hi"
    assert [(str(one.message), one.filename) for one in noted] == [
        (f"Left out, as no part of the request: {names}.", __file__)
    ]


def test_a_key_is_never_kept() -> None:
    """Wherever it stands in the text."""
    for text in (
        "client.respond('sk-canary1234567', user='sk-canary1234567')",
        "curl x -H 'Authorization: Bearer sk-canary1234567' -d '{\"input\": \"sk-canary1234567\"}'",
        "%%respond --user sk-canary1234567\nsk-canary1234567",
    ):
        assert "canary" not in repr(read_code(text))
    with pytest.raises(CellError) as caught:
        read_code("client.respond(ask('sk-canary1234567'))")
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "open('made', 'w')\nclient.respond('Hi')",
        "client.respond('Hi', metadata={'a': open('made', 'w')})",
        "client = open('made', 'w') or x\nclient.respond(str(open('made', 'w')))",
        "%run -i x.py\n!touch made\nclient.respond('Hi')",
        "httpx.post(open('made', 'w').name, json={'input': f\"{open('made', 'w')}\"})",
        'curl https://x -d \'{"input": "Hi"}\'; touch made',
        'curl "$(touch made)" -d "{\\"input\\": \\"$(touch made)\\"}"',
        'curl https://x -d @- <<EOF\n{"input": "`touch made`"}\nEOF',
        "%%respond --user {{open('made','w')}} -s @made\n{{open('made', 'w')}}",
        '{"input": "{{open(\'made\', \'w\')}}", "a": "$(touch made)"}',
    ],
)
def test_nothing_that_is_read_is_run(text: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither what stands around the request nor what stands in it, whether it can be read or not."""
    monkeypatch.chdir(tmp_path)
    with suppress(CellError):
        read_code(text, {"open": open, "client": None})
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("text", "fact"),
    [
        ("", "nothing to read"),
        ("hello world", "no cell, curl command or JSON, and as Python line 1"),
        ("x = 1", "no call"),
        ("x = 1\ny = (", "line 2"),
        ("\n\nclient.respond(ask())", r"Line 3: ask\(\) is not literal"),
        ("client.respond(f'{x}')", "Line 1: f'{x}' is not literal"),
        ("client.respond('x',\n  model=os.environ['M'])", "Line 2: os.environ"),
        ("m = 'a'\nm = 'b'\nclient.respond('x', model=m)", "Line 3: m is not literal"),
        ("for m in ms:\n    client.respond('x', model=m)", "Line 2: m is not literal"),
        ("def ask(p):\n    client.respond(p)", "Line 2: p is not literal"),
        ("a = b\nb = a\nclient.respond(a)", "not literal"),
        ("body = {}\nbody['a'] = 1\nhttpx.post(u, json=body)", "Line 2 changes body"),
        ("m = []\nm.append(1)\nclient.respond(m)", "Line 2 changes m"),
        ("client.respond('a')\nclient.respond('b')", "2 calls in this code, in lines 1, 2"),
        ("client.respond('a', 'b')", "takes one input"),
        ("client.respond('x', temperature=1e999)", "not finite"),
        ("client.respond('x', metadata={1: 'a'})", "1 is not literal"),
        ("client.respond(b'x')", "b'x' is not literal"),
        ("client.respond('x' * 10**9)", "not literal"),
        ("client.respond(**x)", "x is not literal"),
        ("client.respond(**'x')", "no dict after it"),
        ("client.chat.completions.create(model='m', messages=[])", "another API"),
        ("httpx.post(u, json={'messages': []})", "Chat Completions"),
        ("httpx.post(u, data='{')", "no JSON"),
        ("httpx.post(u, json=[1])", "no dict"),
        ("client.respond(" + "[" * 5000 + "]" * 5000 + ")", "cannot be read|nested too deep"),
        ("curl https://x", "sends no body"),
        ('curl x -d "{\\"model\\": \\"$M\\"}"', r"Line 1: \$M is not literal"),
        ('curl x \\\n  -d @- <<EOF\n{\n"input": "$(id)"}\nEOF', r"Line 4: \$\(id\) is not literal"),
        ("curl x -d @body.json", "in the file body.json, which is not read"),
        ("curl x -d 'a", "mark ' has no end"),
        ("curl x -d @- <<EOF\n{}", "no line EOF"),
        ("curl x -d nonsense", "no JSON"),
        ("curl x -d '[1]'", "is a list"),
        ("curl x -d '{}'\ncurl y -d '{}'", "2 curl commands, in lines 1, 2"),
        ("curl https://x/v1/chat/completions -d '{}'", "calls /chat/completions"),
        ('{"input": }', "line 1 column 11"),
        ('{"temperature": NaN}', "NaN"),
        ("[1]", "is a list"),
        ('{"messages": []}', "Chat Completions"),
        ("%%timeit\nx", "%%timeit is another magic"),
        ("%%respond --temprature 1\nx", "Did you mean|not an option"),
    ],
)
def test_what_cannot_be_read_says_where(text: str, fact: str) -> None:
    """Two lines: where it stops being literal, and what to do."""
    with pytest.raises(CellError, match=fact) as caught:
        read_code(text)
    assert len(str(caught.value).splitlines()) == 2


_ANSI = {"\n": "\\n", "\t": "\\t", "\\": "\\\\", "'": "\\'"}


def _in_double_quotes(text: str) -> str:
    return '"' + "".join(f"\\{one}" if one in '$`"\\' else one for one in text) + '"'


def _in_ansi_quotes(text: str) -> str:
    return "$'" + "".join(_ANSI.get(one, one) for one in text) + "'"


_QUOTERS = st.sampled_from([shlex.quote, _in_double_quotes, _in_ansi_quotes])


@settings(max_examples=40)
@given(TEXTS, _QUOTERS, _QUOTERS)
def test_words_are_what_a_shell_makes_of_them(
    text: str, first: Callable[[str], str], second: Callable[[str], str]
) -> None:
    """Quoted in any way that has a literal meaning, with a line continuation between the parts."""
    body = json.dumps({"input": [text.replace("sk-", "sk+"), 1]}, ensure_ascii=False)
    half = len(body) // 2
    word = f"{first(body[:half])}\\\n{second(body[half:])}"
    bash = [tool("bash"), "-c", f"printf %s {word}"]
    printed = subprocess.run(bash, capture_output=True, check=True, timeout=60).stdout
    read = read_code(f"curl x --json \\\n {word} | jq")
    assert read.params["extra_body"] == json.loads(printed)


_DOUBLED = "\n".join(["a0 = 'xxxxxxxxxxxxxx'", *(f"a{n} = a{n - 1} + a{n - 1}" for n in range(1, 40))])
_PAIRED = "\n".join(["a0 = [1, 2]", *(f"a{n} = [a{n - 1}, a{n - 1}]" for n in range(1, 40))])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"{_DOUBLED}\nclient.respond(a39)", "come to more"),
        (f"{_PAIRED}\nclient.respond('x', metadata=a39)", "come to more"),
        ("\n".join(["%pip x\ny = 1"] * 3000) + "\nclient.respond('a')", "as Python line"),
        ("client.respond('a', seed=0x" + "f" * 5000 + ")", "bits"),
        (
            "client.respond('a', metadata={'a': " * 1
            + "[" * 90
            + "b"
            + "]" * 90
            + "})\nb = [[[[[[[[[[[[[[1]]]]]]]]]]]]]]",
            "levels",
        ),
        ('{"a":' * 900 + "1" + "}" * 900, "levels"),
        ('{"input": "a", "temperature": 1e999}', "1e999 is no JSON number"),
        ("httpx.post(u, data='" + "[" * 20_000 + "')", "levels"),
        ("curl x -d '" + '{"a":' * 900 + "1" + "}" * 900 + "'", "levels"),
        ("curl x -d '{\"temperature\": NaN}'", "NaN is no JSON number"),
        ("curl x -d $'\\Uffffffff'", "no JSON"),
        ("```" * 30_000, "cannot be read"),
        ("~~~\n" * 30_000 + "x", "cannot be read"),
    ],
    ids=range(13),
)
def test_code_that_costs_more_than_it_says_is_refused(text: str, said: str) -> None:
    """Names that double, levels without end, numbers that no JSON has: an error at once, and never Python's own."""
    with pytest.raises(CellError, match=said):
        read_code(text)


def test_many_lines_for_a_notebook_are_passed_over() -> None:
    """Those in one block are one mistake to Python."""
    text = "\n".join(["%pip install x"] * 3000) + "\nclient.respond('Hi')"
    assert read_code(text).prompt == "Hi"


@pytest.mark.parametrize("fence", ["```", "````", "~~~"])
def test_a_fence_is_passed_over_whatever_its_mark(fence: str) -> None:
    """Also where its end stands behind the code's last line."""
    for end in ("\n", ""):
        assert read_code(f'  {fence}json\n{{"input": "Hi"}}{end}{fence}\n').prompt == "Hi"


@pytest.mark.parametrize(
    "code",
    [
        "client.respond({'a': NOT_GIVEN})",
        "client.respond(NOT_GIVEN)",
        "client.respond('x', schema=omit, tools=omit)",
    ],
)
def test_what_is_not_given_is_left_out_wherever_it_stands(code: str) -> None:
    """Nothing of it is among the settings."""
    assert json.loads(json.dumps(read_code(code).as_json()))["version"] == 1


def test_a_list_of_what_is_not_given_is_not_literal() -> None:
    """Nobody knows what it would send."""
    with pytest.raises(CellError, match="not literal"):
        read_code("client.respond('x', include=[NOT_GIVEN])")
