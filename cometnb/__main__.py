"""The command line: ``python -m cometnb serve`` runs the simulator as a local HTTP server."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence

import cometnb
from cometnb.errors import CometError

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return the exit status: 0 if it went well, 2 if the command line or a setting is wrong.

    Parameters
    ----------
    arguments : sequence of str, optional
        The words after ``python -m cometnb``; those of this process if None.
    """
    given = _parser().parse_args(arguments)
    try:
        _serve(given)
    except CometError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)  # a command's errors go here
        return 2
    return 0


def _serve(given: argparse.Namespace) -> None:
    from cometnb.client.server import serve  # tornado is loaded only by those who serve

    serve(
        given.port,
        host=given.host,
        seed=given.seed,
        tokens_per_s=given.tokens_per_s or None,
        first_token_s=given.first_token_s,
        fault=given.fault,
        ready=_announce,
    )


def _announce(base_url: str) -> None:
    print(  # what a person, or a script that waits for it, reads
        f"The simulator serves {base_url}\nUse it with: COMETAPI_BASE_URL={base_url} COMETAPI_KEY=any-key\n"
        "Ctrl-C stops it.",
        flush=True,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m cometnb", description="The Responses API in a notebook.")
    parser.add_argument("--version", action="version", version=f"cometnb {cometnb.__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    serve = commands.add_parser(
        "serve", help="run the simulator as an HTTP server on this machine", formatter_class=_Defaults
    )
    serve.add_argument("--port", type=int, default=8765, help="port; 0 takes a free one")
    serve.add_argument("--host", default="127.0.0.1", help="a loopback address")
    serve.add_argument("--seed", type=int, default=0, help="chooses wording, ids and counts")
    serve.add_argument(
        "--tokens-per-s", type=float, default=120.0, help="pace of a stream; 0 is as fast as it can"
    )
    serve.add_argument("--first-token-s", type=float, default=0.3, help="seconds before the first token")
    serve.add_argument("--fault", default=None, help="what goes wrong in every answer, such as 429 or cut")
    return parser


class _Defaults(argparse.ArgumentDefaultsHelpFormatter):
    """Shows every default, except where there is none."""

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help if action.default is None else super()._get_help_string(action)


if __name__ == "__main__":
    sys.exit(main())
