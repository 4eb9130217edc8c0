"""What is offered at the cursor, for any text before it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cometnb.client.simulator.orders import checked_fault, known_faults
from cometnb.defaults import shared
from cometnb.magics.completion import offered
from cometnb.magics.kernel import Kernel, Recent
from cometnb.panel.presets import Presets
from cometnb.session.cell_options import BY_FLAG
from cometnb.session.settings import Settings
from tests.magics.shells import Shell


def _words(shell: Shell, text: str, models: dict[str, list[str]] | None = None) -> tuple[str, ...]:
    offer = offered(Kernel(shell.shared, shell.ip, Recent(models=models or {})), text.split("\n"))
    return () if offer is None else offer.words


def test_listed_models_are_offered_without_asking(shell: Shell) -> None:
    """Those of the base URL in force; before they were listed, the model that is set and the default."""
    shell.shared.configure(backend="api", base_url="https://gateway.example/v1", model="my-model")
    assert _words(shell, "%%respond -m ") == ("my-model", "gpt-5.4")
    models = {"https://gateway.example/v1": ["a-model", "b-model"], "https://other.example/v1": ["c-model"]}
    assert _words(shell, "%%respond -m ", models)[2:] == ("a-model", "b-model")


def test_paths_are_offered_where_files_go(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After @ in instructions, and for attachments beside the variables; a folder ends in a slash."""
    (tmp_path / "style").mkdir()
    (tmp_path / "style" / "brief.md").write_text("Be brief.", encoding="utf-8")
    (tmp_path / ".hidden").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    shell.run("styled = 'x'")
    assert _words(shell, "%%respond -s @sty") == ("@style/",)
    assert _words(shell, "%%respond -s @style/b") == ("@style/brief.md",)
    assert _words(shell, "%%respond --file sty") == ("styled", "style/")
    assert _words(shell, "%%respond --image nothing/he") == ()
    assert ".hidden" not in _words(shell, "%%respond --file ")


def test_a_file_is_offered_where_one_goes(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After --save of a plot, and not where the plot's own name stands."""
    (tmp_path / "cost.svg").write_text("", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert _words(shell, "%comet plot c") == ("cost",)
    assert _words(shell, "%comet plot cost --save c") == ("cost.svg",)


def test_conversations_are_offered_by_name(shell: Shell) -> None:
    """Where one is drawn, saved or dropped."""
    shell.run("%%respond --chat voyage --quiet\nHi")
    assert _words(shell, "%comet tree voy") == ("voyage",)
    assert "voyage" in _words(shell, "%comet chats drop voy")


def test_the_faults_there_are_can_be_found_by_tab(shell: Shell) -> None:
    """Each is one that the line takes."""
    assert _words(shell, "%comet simulator --fault no") == (
        "none",
        *(word for word in known_faults() if word.startswith("no")),
    )
    assert all(checked_fault(word) == word for word in known_faults())


def test_variables_fit_the_option(shell: Shell) -> None:
    """A number for a number, a text for a text; what is private or IPython's own is not offered."""
    shell.run("warm, style, tools, _mine = 0.5, 'Be kind.', [{}], 1.0")
    assert _words(shell, "%%respond -t ") == ("warm",)
    assert _words(shell, "%%respond -s ") == ("style",)
    assert _words(shell, "%%respond --tools t") == ("tools",)


@pytest.mark.parametrize(
    "text",
    [
        "%%respond",
        "%%respond\nWrite a",
        "%%respond\n{{x}} an",
        "%%respond\n{{-m\nxyz_unknown",
        "%%respond\n\\{{st",
        "x = 1",
        "%%respondent -",
        "%comet nonsense ",
    ],
)
def test_nothing_is_offered_elsewhere(shell: Shell, text: str) -> None:
    """In the prompt's own text, after closed or escaped braces, in cells that are not ours."""
    assert _words(shell, text) == ()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from(["%%respond ", "%%respond\n", "%comet ", "x = %comet ", "\n\n%%respond "]),
    st.lists(
        st.sampled_from([*BY_FLAG, "a", ",", "=", " ", "\n", "{{", "}}", ".", "@", "/", "'", "\\", "~", "é"]),
        max_size=8,
    ),
)
def test_any_text_gives_words_that_begin_as_typed(shell: Shell, start: str, pieces: list[str]) -> None:
    """Never an error, and never a word that would replace something else."""
    text = start + "".join(pieces)
    offer = offered(Kernel(shared, shell.ip), text.split("\n"))
    if offer is not None:
        assert text.endswith(offer.typed)
        assert [word for word in offer.words if not word.startswith(offer.typed)] == []


def test_chats_functions_answers_and_types_are_offered(shell: Shell) -> None:
    """After the options that name them; of a list, what is not in it yet."""
    shell.run(
        "def population(city: str) -> int: ...\nclass Person: ...\nanswer = __import__('cometnb').Response({})"
    )
    shell.shared.chat("plan")
    assert _words(shell, "%%respond --chat p") == ("plan",)
    assert _words(shell, "%%respond --tools po") == ("population",)
    assert "web_search" in _words(shell, "%%respond --tools population,")
    assert "population" not in _words(shell, "%%respond --tools population,")
    assert _words(shell, "%%respond --from a") == ("answer",)
    assert _words(shell, "%%respond --schema P") == ("Person",)
    shell.shared.chats.clear()


def test_presets_are_offered_word_by_word(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After %comet panel, a name of several words also after its first ones; quotes are not needed."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    assert {"last", "Think hard", "Classify"} <= set(_words(shell, "%comet panel "))
    assert _words(shell, "%comet panel Th") == ("Think hard",)
    assert _words(shell, "%comet panel Think h") == ("hard",)
    assert _words(shell, "%comet panel Nothing h") == ()
    Presets().save("my way", Settings())
    assert _words(shell, "p = %comet panel my") == ("my way",)


def test_tab_behind_a_name_that_no_file_can_have_offers_nothing(shell: Shell) -> None:
    """It looks for no such folder."""
    assert offered(Kernel(shared, shell.ip), ["%%respond --image a\0b/"]) is not None
