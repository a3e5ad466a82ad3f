"""Where this Parley listens and where it keeps things, from the command line and the environment.

Read once, at the edge, by whoever starts the program; frozen afterwards. An argument beats its
variable, a variable beats the default. Knows nothing of what the catalogue or the data folder hold.
"""

from __future__ import annotations

import math
import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from parley.errors import ParleyError
from parley.pool.limits import Limits
from parley.pool.memory import parse_size

HOST_VARIABLE = "GRADIO_SERVER_NAME"
PORT_VARIABLE = "GRADIO_SERVER_PORT"
MODELS_VARIABLE = "PARLEY_MODELS"
DATA_VARIABLE = "PARLEY_DATA_DIR"
MEMORY_VARIABLE = "PARLEY_MEMORY"
USERS_VARIABLE = "PARLEY_USERS"
SHARING_VARIABLE = "PARLEY_SHARING"

LOOPBACK = {"127.0.0.1", "::1", "localhost"}

LIMITS = {
    "PARLEY_IDLE_TTL": "idle_ttl",
    "PARLEY_MAX_LOADED": "max_loaded",
    "PARLEY_QUEUE_MAX": "queue_max",
    "PARLEY_QUEUE_TIMEOUT": "queue_timeout",
    "PARLEY_LOAD_STALL": "stall",
    "PARLEY_ENGINE_HANG": "hang",
}
"""The pool's knobs by the variables that set them."""


@dataclass(frozen=True, slots=True)
class Settings:
    """``port`` None lets Gradio take the first free port from 7860 on. Of two ``models`` files the
    later one wins where both name a model. Paths are absolute; ``data_dir`` may not exist yet.
    ``memory`` is bytes that models may take on each device, None for what the machine has.
    ``sharing`` lets people make links to copies of their chats; ``local`` is whether only people
    on this machine come here, who may be told where on it their chats are. With ``users``, a file
    of accounts, nobody comes in without signing in."""

    host: str
    port: int | None
    share: bool
    models: tuple[Path, ...]
    data_dir: Path
    memory: int | None = None
    limits: Limits = field(default_factory=Limits)
    sharing: bool = True
    local: bool = True
    users: Path | None = None


def read_settings(
    environment: Mapping[str, str],
    *,
    host: str | None = None,
    port: str | None = None,
    share: bool = False,
    models: Sequence[str] = (),
    data_dir: str | None = None,
) -> Settings:
    """The settings in force. An empty value counts as none given; a bad one is a ParleyError that
    names the argument or the variable it came from."""
    address = _host(*_pick("--host", host, HOST_VARIABLE, environment), environment)
    public = share or environment.get("SYSTEM") == "spaces"
    return Settings(
        host=address,
        port=_port(*_pick("--port", port, PORT_VARIABLE, environment)),
        share=share,
        models=_models(models, environment),
        data_dir=_data_dir(data_dir, environment),
        memory=_memory(environment.get(MEMORY_VARIABLE, "").strip()),
        limits=_limits(environment),
        sharing=_switch(SHARING_VARIABLE, environment, default=not public),
        local=not public and address in LOOPBACK,
        users=_users(environment.get(USERS_VARIABLE, "").strip()),
    )


def default_models_file(package: Path | None = None) -> Path:
    """The clone's models.yaml; for a Parley installed elsewhere, the one in the current folder."""
    package = package or Path(__file__).resolve().parent
    in_clone = package.parent.parent / "models.yaml"
    return in_clone if in_clone.is_file() else Path.cwd() / "models.yaml"


def default_data_dir(environment: Mapping[str, str], platform: str, home: Path) -> Path:
    """Where this kind of machine keeps the data of a person's programs."""
    xdg = environment.get("XDG_DATA_HOME", "")
    if Path(xdg).is_absolute():  # the specification has relative values ignored
        return Path(xdg) / "parley"
    if platform == "darwin":
        return home / "Library" / "Application Support" / "Parley"
    if platform == "win32":
        return Path(environment.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Parley"
    return home / ".local" / "share" / "parley"


def _pick(
    flag: str, argument: str | None, variable: str, environment: Mapping[str, str]
) -> tuple[str, str]:
    """The value in force, "" for none, and where it came from."""
    if argument and argument.strip():
        return argument.strip(), flag
    return environment.get(variable, "").strip(), variable


def _host(value: str, origin: str, environment: Mapping[str, str]) -> str:
    if any(mark in value for mark in "/ ") or value.count(":") == 1:
        raise _bad(
            f"{origin} is {value!r}, which is not a host name or an address.",
            "Give only the name, such as 127.0.0.1 (this machine) or 0.0.0.0 (its whole network); "
            "the port is a setting of its own.",
        )
    # A Space's visitors come through its proxy, from outside its container.
    return value or ("0.0.0.0" if environment.get("SYSTEM") == "spaces" else "127.0.0.1")


def _port(value: str, origin: str) -> int | None:
    if not value:
        return None
    if not (value.isascii() and value.isdigit() and 1 <= int(value) <= 65535):
        raise _bad(
            f"{origin} is {value!r}, which is not a port.",
            "Give a whole number from 1 to 65535, or leave it out to take the first free port "
            "from 7860 on.",
        )
    return int(value)


def _models(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[Path, ...]:
    origin = "--models" if arguments else MODELS_VARIABLE
    given = arguments or environment.get(MODELS_VARIABLE, "").split(os.pathsep)
    files = tuple(_path(name, origin) for name in given if name.strip())
    return files or (default_models_file(),)


def _data_dir(argument: str | None, environment: Mapping[str, str]) -> Path:
    value, origin = _pick("--data-dir", argument, DATA_VARIABLE, environment)
    if value:
        folder = _path(value, origin)
    else:
        try:
            folder = default_data_dir(environment, sys.platform, Path.home())
        except RuntimeError as error:  # a container's user may have none
            raise _bad(
                "This account has no home folder to keep conversations in.",
                f"Set {DATA_VARIABLE} to a folder that Parley may write to.",
            ) from error
    if folder.exists() and not folder.is_dir():
        raise _bad(
            f"The data folder {folder} is a file.",
            f"Give a folder with --data-dir or {DATA_VARIABLE}.",
        )
    return folder


def _memory(value: str) -> int | None:
    size = parse_size(value) if value else None
    if value and not size:
        raise _bad(
            f"{MEMORY_VARIABLE} is {value!r}, which is not an amount of memory.",
            "Give one such as 12GB, 16GiB or 600MB, or leave it out to use most of what is free.",
        )
    return size


def _users(value: str) -> Path | None:
    if not value:
        return None
    file = _path(value, USERS_VARIABLE)
    if not file.is_file():
        raise _bad(
            f"{USERS_VARIABLE} names {file}, which is not there.",
            "Make it with: python -m parley user NAME --users FILE.",
        )
    return file


def _switch(variable: str, environment: Mapping[str, str], *, default: bool) -> bool:
    value = environment.get(variable, "").strip().lower()
    if value not in ("", "on", "off"):
        raise _bad(
            f"{variable} is {value!r}, which is neither on nor off.",
            "Give one of the two, or leave it out.",
        )
    return value == "on" if value else default


def _limits(environment: Mapping[str, str]) -> Limits:
    given: dict[str, Any] = {}
    for variable, name in LIMITS.items():
        value = environment.get(variable, "").strip()
        if not value:
            continue
        if not (value.isascii() and value.isdigit() and int(value) <= 10**7):
            raise _bad(
                f"{variable} is {value!r}, which is not a whole number.",
                "Give a number of seconds or models, or leave it out.",
            )
        # For a time, 0 means never, as for ``idle_ttl``, which knows it by itself.
        never = int(value) == 0 and name in ("queue_timeout", "stall", "hang")
        given[name] = math.inf if never else int(value)
    return Limits(**given)


def _path(value: str, origin: str) -> Path:
    try:
        return Path(value.strip()).expanduser().absolute()
    except RuntimeError as error:
        raise _bad(
            f"{origin} is {value!r}, whose home folder is not known.", "Write the path out in full."
        ) from error


def _bad(sentence: str, fix: str) -> ParleyError:
    return ParleyError("bad_setting", sentence, fix)
