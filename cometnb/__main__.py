"""The command line: ``python -m cometnb serve`` and ``python -m cometnb audit``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import cometnb
from cometnb.errors import CometError, ConfigError, printable

if TYPE_CHECKING:
    from cometnb.client.faults.server import Met

__all__ = ["main"]

_AUDIT_HELP = r"""Read saved notebooks and say what the answers in them cost, by cell, and which API keys leaked into
them: into sources, outputs of every kind, metadata, attachments and widgets. Nothing in a notebook is run.

The cost is what was saved with each answer; an answer saved without one is priced now, and marked so. An answer that
stands twice counts once. Answers that are not in the file (cleared outputs, --quiet) cannot be counted there: the
ledger has them."""

_AUDIT_MORE = r"""exit status:
  0  no key was found
  1  a key was found
  2  a path leads nowhere or a file is no notebook, and no key was found; or the command line is wrong

as a hook of pre-commit (.pre-commit-config.yaml):
  - repo: local
    hooks:
      - id: cometnb-audit
        name: no keys in notebooks
        language: system
        entry: python -m cometnb audit
        files: \.ipynb$
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``python -m cometnb``; those of this process if None.

    Returns
    -------
    int
        0 if it went well; 1 if an audit found a key; 2 if the command line, a setting or a file is wrong.
    """
    given = _parser().parse_args(arguments)
    try:
        return _COMMANDS[given.command](given)
    except CometError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # a command's errors go here
        return 2


def _audit(given: argparse.Namespace) -> int:
    from cometnb.ledger.audit import audit

    found = audit(given.paths)
    _write(json.dumps(found.as_json(), indent=2) if given.json else str(found))
    return found.exit_status


def _write(text: str) -> None:
    """Print, also where the terminal's encoding lacks a character."""
    encoding = sys.stdout.encoding or "utf-8"
    try:
        print(text.encode(encoding, "replace").decode(encoding), flush=True)
    except BrokenPipeError:  # `| head` has read enough
        sys.stdout = None


def _import(given: argparse.Namespace) -> int:
    from cometnb.client.cassette.vcr import import_recordings

    done = import_recordings(given.files, given.to, replace=given.new)
    rest = f" Left out: {done.n_left_out:,} that are none of the Responses API." if done.n_left_out else ""
    _write(f"{given.to} holds {done.n_calls:,} {'call' if done.n_calls == 1 else 'calls'}.{rest}")
    return 0


def _serve(given: argparse.Namespace) -> int:
    if given.faults:
        return _serve_faults(given)
    from cometnb.client.server import serve  # tornado is loaded only by those who serve
    from cometnb.client.simulator.orders import checked_fault

    serve(
        given.port,
        host=given.host,
        seed=given.seed,
        tokens_per_s=given.tokens_per_s or None,
        first_token_s=given.first_token_s,
        fault=given.fault and checked_fault(given.fault),
        ready=_announce,
    )
    return 0


def _serve_faults(given: argparse.Namespace) -> int:
    from cometnb.client.faults.server import serve_faults

    seed, *names = given.faults
    if not seed.isdecimal():
        raise ConfigError(
            f"--faults {seed} does not begin with a seed.", "Write --faults 7, or --faults 7 cut reset."
        )
    serve_faults(int(seed), names, port=given.port, host=given.host, ready=_announce, on_request=_log)
    return 0


def _log(met: Met) -> None:
    line = f" ({met.line})" if met.line else ""
    said = f"{met.number}: {met.method} {met.path}{line}: {met.trouble}"
    print(printable(said), file=sys.stderr, flush=True)


def _announce(base_url: str) -> None:
    print(  # what a person, or a script that waits for it, reads
        f"The simulator serves {base_url}\nUse it with: COMETAPI_BASE_URL={base_url} COMETAPI_KEY=any-key\n"
        "Ctrl-C stops it.",
        flush=True,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cometnb", description="The Responses API in a notebook.")
    parser.add_argument("--version", action="version", version=f"cometnb {cometnb.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND", parser_class=_Command)
    _add_audit(commands)
    _add_import(commands)
    _add_serve(commands)
    return parser


def _add_audit(commands: argparse._SubParsersAction[_Command]) -> None:
    audit = commands.add_parser(
        "audit",
        help="what the answers in saved notebooks cost, and which keys leaked into them",
        description=_AUDIT_HELP,
        epilog=_AUDIT_MORE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    audit.add_argument(
        "paths",
        nargs="+",
        metavar="PATH",
        help="a file, a folder (searched at any depth, without folders that begin with a dot) or a pattern",
    )
    audit.add_argument("--json", action="store_true", help="write JSON instead of the report")


def _add_import(commands: argparse._SubParsersAction[_Command]) -> None:
    taken = commands.add_parser(
        "import",
        help="make a cassette from recordings of other programs (VCR)",
        description="Write the calls of the Responses API in other recordings into a cassette:"
        " YAML or JSON as VCR for Python, Ruby or Go writes it. Keys and account headers are left out.",
    )
    taken.add_argument(
        "files", nargs="+", metavar="FILE", type=Path, help="a recording; YAML needs cometnb[vcr]"
    )
    taken.add_argument("--to", required=True, metavar="CASSETTE", type=Path, help="the file to write")
    taken.add_argument("--new", action="store_true", help="begin the cassette anew, whatever it holds")


def _add_serve(commands: argparse._SubParsersAction[_Command]) -> None:
    serve = commands.add_parser(
        "serve",
        help="run the simulator as an HTTP server on this machine; --faults lets every request meet another fault",
        formatter_class=_Defaults,
    )
    serve.more = _serve_more
    serve.add_argument("--port", type=int, default=8765, help="port; 0 takes a free one")
    serve.add_argument("--host", default="127.0.0.1", help="a loopback address")
    serve.add_argument("--seed", type=int, default=0, help="chooses wording, ids and counts")
    serve.add_argument(
        "--tokens-per-s", type=float, default=120.0, help="pace of a stream; 0 is as fast as it can"
    )
    serve.add_argument("--first-token-s", type=float, default=0.3, help="seconds before the first token")
    wrong = serve.add_mutually_exclusive_group()
    wrong.add_argument("--fault", default=None, help="what goes wrong in every answer, such as 429 or cut")
    wrong.add_argument(
        "--faults",
        nargs="+",
        metavar=("SEED", "NAME"),
        help="every request meets another fault, of those named or of all below; the same seed gives the same ones"
        " in the same order. Answers then come as fast as the fault lets them.",
    )


def _serve_more() -> str:
    from cometnb.client.faults.troubles import listed

    return "\n".join(
        (
            "faults (the header X-Cometnb-Fault and a line on standard error say which a request met;",
            'a request with metadata {"fault_line": NAME} meets the next of that line\'s own order):',
            *(f"  {line}" for line in listed()),
        )
    )


class _Command(argparse.ArgumentParser):
    """A command whose help may end with what is put together for those who read it only."""

    more: Callable[[], str] | None = None

    def format_help(self) -> str:
        """Return the help, with `more` at its end."""
        if self.more is not None:
            self.epilog = self.more()
        return super().format_help()


class _Defaults(argparse.ArgumentDefaultsHelpFormatter, argparse.RawDescriptionHelpFormatter):
    """Shows every default, except where there is none, and lists as they are."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


_COMMANDS = {"audit": _audit, "import": _import, "serve": _serve}


if __name__ == "__main__":
    sys.exit(main())
