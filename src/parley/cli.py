"""The command line: ``python -m parley serve``, ``models``, ``backup``, ``user`` and
``batch``.

Reads arguments and environment, calls the part that does the work, and turns every ParleyError into
one line on stderr. Imports that part only when it is asked for, so that ``--help`` answers at once.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from parley import __version__, sizes
from parley.catalog.spec import ModelSpec
from parley.errors import ParleyError
from parley.settings import (
    DATA_VARIABLE,
    HOST_VARIABLE,
    MODELS_VARIABLE,
    PORT_VARIABLE,
    USERS_VARIABLE,
    Settings,
    read_settings,
)

FAILED = 2
UNFINISHED = 1
"""The status of a batch in which a cell has no answer: the same command tries those again."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the exit status is 0, or 2 for anything the person can put right."""
    parser = _parser()
    given = parser.parse_args(arguments)
    try:
        match given.command:
            case "serve":
                _serve(
                    read_settings(
                        os.environ,
                        host=given.host,
                        port=given.port,
                        share=given.share,
                        models=given.models,
                        data_dir=given.data_dir,
                    )
                )
            case "models":
                _models(read_settings(os.environ, models=given.models))
            case "backup":
                _backup(read_settings(os.environ, data_dir=given.data_dir), Path(given.file))
            case "user":
                _user(given.name, given.users)
            case "batch":
                return 0 if _batch(given) else UNFINISHED
            case _:
                parser.print_help(sys.stderr)
                return FAILED
    except ParleyError as error:
        print(error, file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:  # Ctrl-C is how a server is meant to be ended
        return 0
    return 0


def _serve(settings: Settings) -> None:
    from parley.ui.app import launch

    launch(settings)


def _models(settings: Settings) -> None:
    from parley.catalog.loader import load
    from parley.catalog.table import table

    catalogue = load(settings.models)
    print(table(catalogue, {m.id: _decoding(m) for m in catalogue.models}))


def _backup(settings: Settings, file: Path) -> None:
    from parley.chats.backup import backup
    from parley.chats.store import FILE

    file = file.expanduser().absolute()
    size = backup(settings.data_dir / FILE, file)
    print(f"{file} ({sizes.size(size)})")


def _user(name: str, file: str) -> None:
    from getpass import getpass

    from parley.people import People

    piped = None if sys.stdin.isatty() else sys.stdin.readline().rstrip("\n")
    password = getpass(f"Password for {name}: ") if piped is None else piped
    People(Path(file).expanduser().absolute()).add(name, password)
    print(f"{name} may sign in.")


def _batch(given: argparse.Namespace) -> bool:
    from parley.arena.suites.batch import batch
    from parley.arena.suites.plan import Plan
    from parley.chats.store import Store
    from parley.engines.nursery import Nursery
    from parley.ui.app import look_at_machine, make_playground

    plan = Plan(
        Path(given.suite).stem,
        tuple(name.strip() for name in given.models.split(",") if name.strip()),
        judge=given.judge,
        temperature=given.temperature,
        seed=given.seed,
        max_new_tokens=given.max_new_tokens,
    )
    settings = read_settings(os.environ, models=given.catalogue, data_dir=given.data_dir)
    nursery = Nursery()
    playground = make_playground(settings, nursery, store=Store.temporary())
    try:
        if playground.pool.machine is None:
            look_at_machine(playground.pool, nursery, settings)
        out = Path(given.out).expanduser().absolute()
        return batch(playground, given.suite, plan, out, sys.stderr)
    except KeyboardInterrupt:
        print("Interrupted; the same command goes on from here.", file=sys.stderr)
        return False
    finally:
        playground.close()
        nursery.close()


def _decoding(spec: ModelSpec) -> str:
    """By what is on this disk; the Hub is not asked for a table."""
    from parley.engines.stock import take_stock

    words = {
        "ragged": "together, any lengths",
        "padded": "together, padded",
        "single": "one pass each",
        "generate": "one after the other",
        "trial": "found out by a load",
        None: "not on disk",
    }
    return words[take_stock(spec, ask_hub=False).decoding]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="parley",
        description="A chat playground for open models: pick, chat, compare, on hardware you "
        "control.",
        epilog="Run 'python -m parley COMMAND --help' for what a command takes.",
    )
    parser.add_argument("--version", action="version", version=f"Parley {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")

    models_file = argparse.ArgumentParser(add_help=False)
    models_file.add_argument(
        "--models",
        action="append",
        default=[],
        metavar="FILE",
        help="the catalogue, a models.yaml; repeat it to lay one over another, the later wins "
        f"(environment: {MODELS_VARIABLE})",
    )

    data_folder = argparse.ArgumentParser(add_help=False)
    data_folder.add_argument(
        "--data-dir",
        metavar="FOLDER",
        help=f"where conversations are kept (environment: {DATA_VARIABLE})",
    )

    serve = commands.add_parser(
        "serve",
        parents=[models_file, data_folder],
        help="open the page and answer until Ctrl-C",
        description="Open the page and answer until Ctrl-C.",
    )
    serve.add_argument(
        "--host",
        help=f"address to listen on; 127.0.0.1 where none is given (environment: {HOST_VARIABLE})",
    )
    serve.add_argument(
        "--port",
        help="port to listen on; the first free one from 7860 on where none is given "
        f"(environment: {PORT_VARIABLE})",
    )
    serve.add_argument("--share", action="store_true", help="also open a public Gradio link")
    commands.add_parser(
        "models",
        parents=[models_file],
        help="print the catalogue as a table",
        description="Print the catalogue as a table.",
    )
    backup = commands.add_parser(
        "backup",
        parents=[data_folder],
        help="copy the saved chats into a file, also while Parley runs",
        description="Copy the saved chats into a new file, also while Parley runs. To go back to "
        "them, end Parley and put that file into the data folder as chats.db, in place of the "
        "three files there that begin with that name.",
    )
    backup.add_argument("file", metavar="FILE", help="where to; a file that is there stays")
    user = commands.add_parser(
        "user",
        help="make an account, or give one another password",
        description="Make an account, or give one another password, which is asked for. Start "
        f"Parley with {USERS_VARIABLE} set to the file, and nobody comes in without an account.",
    )
    user.add_argument("name", metavar="NAME")
    user.add_argument("--users", required=True, metavar="FILE", help="where accounts are kept")
    batch = commands.add_parser(
        "batch",
        parents=[data_folder],
        help="run a suite of prompts over several models",
        description="Run a suite of prompts over several models and write the results. The same "
        "command with the same folder goes on where it ended. docs/suites.md describes suites.",
    )
    batch.add_argument(
        "suite", metavar="SUITE", help="a CSV or JSONL file; or general, japanese, arithmetic"
    )
    batch.add_argument("--models", required=True, metavar="IDS", help="such as model-a,model-b")
    batch.add_argument("--out", required=True, metavar="FOLDER", help="where the results go")
    batch.add_argument(
        "--judge", metavar="ID", help="a model that compares the answers; none of the others"
    )
    batch.add_argument("--temperature", type=float, default=0.0, help="0 where none is given")
    batch.add_argument("--seed", type=int, default=1, help="1 where none is given")
    batch.add_argument(
        "--max-new-tokens", type=int, default=512, help="of one answer; 512 where none is given"
    )
    batch.add_argument(
        "--catalogue",
        action="append",
        default=[],
        metavar="FILE",
        help=f"a models.yaml, as --models of the other commands (environment: {MODELS_VARIABLE})",
    )
    return parser
