"""The house rules: what every file of the project has to keep to, whatever it does."""

from __future__ import annotations

import ast
import importlib
import json
import os
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

import grimp
import pytest

from tests.needs import ROOT

_MAX_FILE_LINES = 400
_MAX_FUNCTION_LINES = 50

_VAGUE_NAMES = frozenset({"utils", "util", "helpers", "helper", "common", "core", "manager"})

# What an answer needs, but not the loading of the extension.
_HEAVY = ("genai_prices", "httpx", "matplotlib", "pandas", "pydantic", "sqlalchemy")

# Written in pieces, so that this file does not hold what it forbids.
_FORBIDDEN_WORDS = {
    "a path of one machine": re.compile(r"(?<![\w.~/:$}\-])/(?:work|root|home)/\w"),
    "the host of a package registry": re.compile(
        r"|".join(
            (
                r"pypi\.org",
                r"pythonhosted\.org",
                r"registry\.npm" + "js",
                r"deb\.debian\.org",
                r"proxy\.golang",
            )
        )
    ),
    "a word on who or what made it": re.compile(
        r"(?:written|generated|made|created|built|authored|assisted)[ -](?:by|with)[ -](?:an? )?"
        r"(?:ai|llm|agent|assistant|claude|chatgpt|copilot|codex|gemini)\b"
        r"|\bai-" + r"generated|co-authored" + r"-by:",
        re.IGNORECASE,
    ),
}

_IMPORTED = "import json, sys; before = set(sys.modules); {code}; print(json.dumps(sorted(set(sys.modules) - before)))"


@cache
def _files() -> tuple[Path, ...]:
    """Every file that is tracked, or would be."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    try:
        names = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split(
            "\0"
        )
    except (OSError, subprocess.CalledProcessError):
        return tuple(file for file in ROOT.rglob("*") if file.is_file() and not _is_made(file))
    return tuple(file for name in names if name and (file := ROOT / name).is_file())


def _is_made(file: Path) -> bool:
    parts = file.relative_to(ROOT).parts
    return bool({".venv", ".git", "build", "dist", "shots", "__pycache__"} & set(parts)) or parts[
        0
    ].startswith(".")


def _sources(*folders: str) -> list[Path]:
    wanted = folders or ("cometnb", "tests", "benchmarks", "notebooks")
    return [file for file in _files() if file.suffix == ".py" and file.relative_to(ROOT).parts[0] in wanted]


def _name(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text("utf-8"), filename=_name(file))


def _module(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _run_python(code: str, **env: str) -> Any:
    """Run code in a new interpreter and return the JSON it prints last."""
    environment = os.environ | {"PYTHONPATH": str(ROOT)} | env
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


# Sizes and names.


def test_no_file_is_longer_than_400_lines() -> None:
    """A longer file has two subjects."""
    counted = {_name(file): len(file.read_text("utf-8").splitlines()) for file in _sources()}
    assert {name: lines for name, lines in counted.items() if lines > _MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_50_lines() -> None:
    """Its docstring is not counted: a public function may need a long one."""
    long = {
        f"{_name(file)}:{node.lineno} {node.name}": lines
        for file in _sources()
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (lines := _length(node)) > _MAX_FUNCTION_LINES
    }
    assert long == {}


def _length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    lines = (node.end_lineno or node.lineno) - node.lineno + 1
    if ast.get_docstring(node) is not None:
        docstring = node.body[0]
        lines -= (docstring.end_lineno or docstring.lineno) - docstring.lineno + 1
    return lines


def test_no_file_or_class_has_a_vague_name() -> None:
    """A name that fits everything says nothing."""
    named = [
        (_name(file), part) for file in _sources() for part in file.relative_to(ROOT).with_suffix("").parts
    ]
    named += [(_name(file), node.name) for file in _sources() for node in _classes(_tree(file))]
    words = ((where, name, set(re.findall(r"[A-Z]?[a-z]+", name))) for where, name in named)
    assert [(where, name) for where, name, parts in words if {p.lower() for p in parts} & _VAGUE_NAMES] == []


def _classes(tree: ast.Module) -> Iterator[ast.ClassDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.ClassDef))


def test_every_module_says_its_one_job() -> None:
    """The first line of its docstring is a sentence; an empty file has no job."""
    silent = [
        _name(file)
        for file in _sources()
        if _tree(file).body
        and not (ast.get_docstring(_tree(file)) or "").partition("\n")[0].endswith((".", "?"))
    ]
    assert silent == []


@pytest.mark.parametrize("what", _FORBIDDEN_WORDS)
def test_files_hold_no_words_that_are_not_the_projects_own(what: str) -> None:
    """The project speaks of itself alone, and runs on any machine."""
    found = [
        f"{_name(file)}:{number}: {line.strip()[:120]}"
        for file in _files()
        if (text := _text(file)) is not None
        for number, line in enumerate(text.splitlines(), 1)
        if _FORBIDDEN_WORDS[what].search(line)
    ]
    assert found == [], f"{what} in {found}"


def _text(file: Path) -> str | None:
    """The text of a file; None for an image or another binary, and for this list of what is forbidden."""
    if file == Path(__file__).resolve():
        return None
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        return None


# Imports.


def test_there_is_no_import_cycle() -> None:
    """Also none through an import inside a function; what only the type checker reads does not count."""
    graph = grimp.build_graph("cometnb", exclude_type_checking_imports=True, cache_dir=None)
    order = TopologicalSorter({name: graph.find_modules_directly_imported_by(name) for name in graph.modules})
    try:
        order.prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]), pytrace=False)


def test_imports_point_down_only() -> None:
    """The contracts of pyproject.toml hold."""
    program = Path(sys.executable).with_name("lint-imports")
    environment = os.environ | {"PYTHONPATH": str(ROOT), "COLUMNS": "110"}
    done = subprocess.run(
        [program, "--no-cache"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", ["cometnb", "cometnb.protocol", "cometnb.errors"])
def test_importing_it_loads_the_standard_library_only(package: str) -> None:
    """So it costs next to nothing, and works where nothing else is installed."""
    loaded = {name.partition(".")[0] for name in _run_python(_IMPORTED.format(code=f"import {package}"))}
    assert loaded - sys.stdlib_module_names == {"cometnb"}


def test_every_module_of_the_protocol_loads_the_standard_library_only() -> None:
    """The package's own modules, not only its front door."""
    modules = [_module(file) for file in _sources("cometnb") if file.parent.name == "protocol"]
    loaded = _run_python(_IMPORTED.format(code=f"import {', '.join(modules)}"))
    assert {name.partition(".")[0] for name in loaded} - sys.stdlib_module_names == {"cometnb"}


def test_loading_the_extension_adds_no_heavy_package() -> None:
    """They come with the first request, or later."""
    code = "shell.run_line_magic('load_ext', 'cometnb')"
    shell = "from IPython.core.interactiveshell import InteractiveShell as S; shell = S.instance(); "
    loaded = _run_python(shell + _IMPORTED.format(code=code))
    assert "cometnb.magics" in loaded
    assert {name.partition(".")[0] for name in loaded} & set(_HEAVY) == set()


# Public names.


@pytest.mark.parametrize("file", _sources("cometnb"), ids=_name)
def test_all_names_what_is_there(file: Path) -> None:
    """No public name is missing from `__all__`, and none in it is missing from the module (ruff sorts it)."""
    tree = _tree(file)
    declared, defined = _declared(tree), set(_public_names(tree))
    if file.name == "__init__.py":
        module = importlib.import_module(_module(file))
        assert [name for name in declared or () if not hasattr(module, name)] == []
        assert defined <= set(declared or ())
    else:
        assert declared is not None, "it has no __all__"
        assert sorted(declared) == sorted(defined)


def _declared(tree: ast.Module) -> list[str] | None:
    for node in tree.body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == "__all__" for t in node.targets
        ):
            names: list[str] = ast.literal_eval(node.value)
            return names
    return None


def _public_names(tree: ast.Module) -> Iterator[str]:
    for node in tree.body:
        names: list[str] = []
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            names = [node.name]
        elif isinstance(node, ast.Assign):
            names = [
                name.id for target in node.targets for name in ast.walk(target) if isinstance(name, ast.Name)
            ]
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            names = [node.target.id]
        yield from (name for name in names if not name.startswith("_"))


# Errors.


def _error_classes() -> list[ast.ClassDef]:
    """Every error and warning of cometnb/errors.py, with its place in the tree of classes."""
    return [node for node in _tree(ROOT / "cometnb" / "errors.py").body if isinstance(node, ast.ClassDef)]


def test_every_error_lives_in_errors_and_is_documented() -> None:
    """One place to look, and a docstring that says when it is raised."""
    declared = _declared(_tree(ROOT / "cometnb" / "errors.py")) or []
    assert [node.name for node in _error_classes() if node.name not in declared] == []
    assert [node.name for node in _error_classes() if not ast.get_docstring(node)] == []
    elsewhere = [
        (_name(file), node.name)
        for file in _sources("cometnb")
        if file.name != "errors.py"
        for node in _classes(_tree(file))
        if node.name.endswith(("Error", "Exception", "Warning"))
    ]
    assert elsewhere == []


def test_every_error_is_raised_somewhere() -> None:
    """A class that others derive from is raised through them."""
    families = {_last_name(base) for node in _error_classes() for base in node.bases}
    used = {name for file in _sources("cometnb") if file.name != "errors.py" for name in _made(_tree(file))}
    assert [node.name for node in _error_classes() if node.name not in used | families] == []


def _made(tree: ast.Module) -> Iterator[str]:
    """Yield the names that are called, raised, passed on to a call, or stand in a table or a choice."""
    for node in ast.walk(tree):
        found: list[ast.expr | None] = []
        if isinstance(node, ast.Call) and _last_name(node.func) not in ("isinstance", "issubclass"):
            found = [node.func, *node.args]
        elif isinstance(node, ast.Raise):
            found = [node.exc]
        elif isinstance(node, ast.Return | ast.Assign | ast.AnnAssign | ast.IfExp | ast.Dict):
            found = [each for each in ast.iter_child_nodes(node) if isinstance(each, ast.expr)]
        elif isinstance(node, ast.Tuple):
            found = [*node.elts] if isinstance(node.ctx, ast.Load) else []
        yield from (_last_name(each) for each in found if each is not None)


def _last_name(node: ast.expr) -> str:
    if isinstance(node, ast.Name):
        return node.id
    return node.attr if isinstance(node, ast.Attribute) else ""


# Words a user types.


def _readme() -> str:
    return (ROOT / "README.md").read_text("utf-8")


def test_every_subcommand_has_help_and_stands_in_the_readme() -> None:
    """What cannot be found is not there."""
    from cometnb.magics.comet import SUBCOMMANDS

    assert [name for name, subcommand in SUBCOMMANDS.items() if not subcommand.help.strip()] == []
    typed = set(re.findall(r"%comet (\w+)", _readme()))
    assert [name for name in SUBCOMMANDS if name not in typed] == []


def test_every_option_has_help_and_stands_in_the_readme() -> None:
    """At least one of its spellings does."""
    from cometnb.session.cell_options import OPTIONS

    assert [option.flags for option in OPTIONS if not option.help.strip()] == []
    typed = set(re.findall(r"(?<![\w-])--?[a-z][\w.-]*", _readme()))
    assert [option.flags for option in OPTIONS if not typed & set(option.flags)] == []


# What is shipped.


def test_no_script_imports_from_the_network() -> None:
    """A notebook works offline, and runs no code that changes behind its back."""
    remote = re.compile(r"""(?:import|from)\s*\(?\s*["'`]\s*(?:https?:)?//""")
    scripts = [file for file in _files() if file.suffix in {".js", ".mjs", ".ts"}]
    assert [_name(file) for file in scripts if remote.search(file.read_text("utf-8"))] == []


def test_the_wheel_holds_every_file_of_the_package(tmp_path: Path) -> None:
    """Static files and the mark of a typed package, too, and nothing else."""
    source = tmp_path / "source"
    for file in _files():
        copy = source / file.relative_to(ROOT)
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(file, copy)
    command = [
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        str(tmp_path),
        str(source),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert "cometnb/py.typed" in held
    assert held == {_name(file) for file in _files() if file.relative_to(ROOT).parts[0] == "cometnb"}


def test_the_locks_agree() -> None:
    """The notebooks' environment is part of the tests': every version that Binder has is one that was tested."""
    lab, test = (_pins((ROOT / "locks" / f"{name}.txt").read_text("utf-8")) for name in ("lab", "test"))
    assert {name: versions for name, versions in lab.items() if not versions <= test.get(name, set())} == {}
    assert {"hatchling", "editables", "jupyterlab", "nbclient", "nbconvert"} <= lab.keys()


def _pins(lock: str) -> dict[str, set[str]]:
    """Return the versions of each package; markers may be narrower in one lock than in the other."""
    pins: dict[str, set[str]] = {}
    for line in lock.splitlines():
        name, mark, rest = line.partition("==")
        assert mark, f"{line!r} is not pinned"
        pins.setdefault(name, set()).add(rest.partition(";")[0].strip())
    return pins
