"""What counts as a key, what is only a placeholder, and how a key is shown."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cometnb.errors import masked
from cometnb.ledger.audit.keys import found_keys, printable, secrets_of, shown_key
from tests.ledger.notebooks import KEY

# A made-up rest for keys of other services, in pieces like them.
_REST = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8s9T0"

_KEYS = {
    "CometAPI": KEY,
    "OpenAI": "sk-proj-" + "Zt4m-Xw9Lb2Rk8Vn3Hc6_Jd1Fs5Gy0Pa4Ue7Ti2",
    "service account": "sk-svcacct-" + _REST,
    "OpenRouter": "sk-or-v1-" + "0123456789abcdef" * 4,
    "Anthropic": "sk-ant-api03-" + _REST,
    "short gateway": "sk-" + "canary1234567",
    "GitHub": "ghp_" + _REST[:36],
    "GitHub, fine-grained": "github_pat_" + _REST + _REST,
    "GitLab": "glpat-" + _REST[:20],
    "AWS": "AKIA" + "Q3EGRTKV5XZN2WLM",
    "Hugging Face": "hf_" + "QwErTyUiOpAsDfGhJkLzXcVbNmQwErTyUi",
    "Google": "AIza" + _REST[:35],
    "Groq": "gsk_" + _REST,
    "xAI": "xai-" + _REST + _REST,
    "Slack": "xoxb-" + "123456789012-abcDEF123456ghi",
    "Stripe": "sk_live_" + _REST[:24],
}

_NO_KEYS = [
    "sk-",
    "sk-...",
    "sk-…",
    "sk-***",
    "sk-your-key-here",
    "sk-your-api-key-goes-here-1234",
    "sk-yourapikeygoeshere1234567890",
    "sk-proj-xxxxxxxxxxxxxxxxxxxxxxxx1234",
    "sk-XXXXXXXXXXXXXXXXXXXXXXXXXXXX0000",
    "sk-000000000000000000000000000000a",
    "sk-<your key>",
    "sk-1234567890",
    "sk-abcdefghijklmnopqrstuvwxyz",
    "sk-abcd1234efgh...",
    "sk-abcd1234efgh5678…",
    "sk-replace-me-with-a-key-12345abcdef",
    # scikit-learn's HTML, which is in many a notebook.
    "#sk-container-id-1 div.sk-toggleable__content input.sk-hidden--visually a.sk-estimator-doc-link",
    "sk-estimator-id-12345678901",
    "task-a1b2c3d4e5f6g7h8i9j0 risk-a1b2c3d4e5f6 disk-a1b2c3d4e5f6g7",
    "Authorization: Bearer $COMETAPI_KEY",
    "Authorization: Bearer {api_key}",
    "Authorization: Bearer YOUR_COMETAPI_KEY",
    "Authorization: Bearer sk-...",
    "the bearer of these documents2026 has arrived",
    'api_key = os.environ["COMETAPI_KEY_2026_PRODUCTION"]',
    "api_key=load_key_from_vault_a1b2c3d4e5f6(name)",
    'client = Client(api_key="your-key-0123456789abcdef")',
    "AKIA" + "IOSFODNN7EXAMPLE",
    "ghp_" + "x" * 36,
    "hf_transformers_is_a_library_with_long_names",
    "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A",
]


@pytest.mark.parametrize("key", _KEYS.values(), ids=_KEYS.keys())
@pytest.mark.parametrize(
    "around", ["{}", "key = '{}'\n", "<b>{}</b>", "({})", "a {}, b", "KEY={}", "%3D{}", "\\n{}\\n"]
)
def test_a_key_is_found_whatever_stands_around_it(key: str, around: str) -> None:
    """Quoted, in HTML, behind an escape."""
    assert [found.key for found in found_keys(f"first\n{around.format(key)}")] == [key]
    assert [found.line for found in found_keys(f"first\n{around.format(key)}")] == [2]


@pytest.mark.parametrize("text", _NO_KEYS)
def test_a_placeholder_is_no_key(text: str) -> None:
    """Nor is anything else that only begins like one."""
    assert found_keys(text) == []


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("curl -H 'Authorization: Bearer {}'", "bearer token"),
        ('{{"authorization": "bearer {}"}}', "bearer token"),
        ('{{\\"Authorization\\": \\"Bearer {}\\"}}', "bearer token"),
        ("Client(api_key='{}')", "API key"),
        ('{{"apiKey": "{}"}}', "API key"),
        ('{{\\"api_key\\": \\"{}\\"}}', "API key"),
        ("%env MY_GATEWAY_API_KEY={}", "API key"),
        ("x-api-key: {}", "API key"),
        ("-----BEGIN RSA PRIVATE KEY-----\n{}", "private key"),
    ],
)
def test_a_key_without_a_form_is_told_by_its_place(text: str, form: str) -> None:
    """A gateway's keys may look like anything."""
    assert [(found.key, found.form) for found in found_keys(text.format(_REST))] == [(_REST, form)]


@pytest.mark.parametrize(
    "text",
    [
        f"\x1b[38;5;124m{KEY}\x1b[39m",
        f"x\x1b[31m{KEY}",
        f"{KEY[:9]}\x1b[0m\x1b[31m{KEY[9:]}",
        json.dumps(f"a\x1b[31m{KEY}"),
        KEY.replace("sk-", "\\u0073k-"),
        KEY.replace("-", "\\x2d"),
        KEY.replace("-", "&#45;"),
        base64.b64encode(KEY.encode()).decode(),
        f"see {base64.b64encode(f'{KEY} and more'.encode()).decode()}",
    ],
)
def test_a_key_is_found_in_colours_escapes_and_base64(text: str) -> None:
    """A traceback is full of colours, and an output may hold JSON in JSON."""
    assert [found.key for found in found_keys(text)] == [KEY]


@pytest.mark.parametrize("text", ["my-gateway", base64.b64encode(b"..my-gateway..").decode()])
@pytest.mark.parametrize("name", ["COMETAPI_KEY", "COMETAPI_API_KEY", "OPENAI_API_KEY", "MY_APIKEY"])
def test_a_key_of_the_environment_is_found_whatever_it_looks_like(text: str, name: str) -> None:
    """The user's own key need not look like one."""
    secrets = secrets_of({name: " my-gateway\n", "HOME": "elsewhere-1234", "SHORT_API_KEY": "short"})
    assert secrets == {"my-gateway": name}
    (found,) = found_keys(f"a {text} b", secrets)
    assert found.form.startswith(f"value of {name}")


@pytest.mark.parametrize("name", [name for name, key in _KEYS.items() if key.startswith("sk-")])
def test_what_the_audit_calls_a_key_is_hidden_in_errors_too(name: str) -> None:
    """The audit is stricter than what masks messages, never looser."""
    assert masked(f"x {_KEYS[name]} y") == "x sk-*** y"


@given(st.text(st.characters(), max_size=80), st.sampled_from(list(_KEYS.values())))
def test_no_key_is_shown(text: str, key: str) -> None:
    """At most its first three and last four characters are."""
    shown = shown_key(key)
    assert len(shown) <= 8
    assert key[3:-4] not in printable(f"{text} {key} {text}")


@given(st.text())
def test_what_is_printed_cannot_act_on_a_terminal(text: str) -> None:
    """No control character, no line end, no mark of direction, nothing that cannot be encoded."""
    line = printable(text + "\x1b]0;title\x07\u202e\r\n\x9b", width=60)
    assert line.isprintable()
    assert len(line) <= 60
    line.encode()


def test_a_hostile_text_is_searched_once() -> None:
    """Rows of beginnings of keys are not searched again and again, and at most 1,000 keys of it are told."""
    many = " ".join(f"{KEY}{number:04}" for number in range(3_000))
    assert len(found_keys(many)) == 1_000
    assert len(found_keys("sk-" * 300_000)) == 0
    assert len(found_keys("api_key=" * 100_000)) == 0
