"""Where model processes are born: one small server process that has imported torch once.

A child forked from it is ready in some 20 ms and shares the imported libraries' memory, while the
page's own process never imports torch. Knows nothing of models or of what a child does.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from multiprocessing import connection, forkserver, popen_forkserver, reduction, spawn, util
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess, set_spawning_popen
from multiprocessing.process import BaseProcess
from typing import Protocol

# Everything a first answer needs, so that no child pays for an import of its own.
PRELOAD = (
    "torch",
    "torch.nn.attention",
    "numpy",
    "huggingface_hub",
    "huggingface_hub.hf_api",
    "safetensors.torch",
    "tokenizers.decoders",
    "transformers",
    "transformers.generation.utils",
    "transformers.generation.logits_process",
    "transformers.models.auto.configuration_auto",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.tokenization_auto",
    "transformers.models.llama.modeling_llama",
    "parley.engines.ahead",
)


ENVIRONMENT = {
    # Else importing torch would initialise CUDA in the server, and CUDA does not survive a fork.
    "PYTORCH_NVML_BASED_CUDA_CHECK": "1",
    # For how long a thread that has nothing to do looks for work before it gives its core away.
    # The gaps between matrix products are shorter: without it a token takes a third longer. As
    # long as the library does, it would take the core from the page and from other models.
    "GOMP_SPINCOUNT": "10000",  # about a tenth of a millisecond, for GNU's OpenMP
    "KMP_BLOCKTIME": "1",  # milliseconds, for LLVM's
}

# The standard library's exit status for a child whose fork server has died; the child may live.
SERVER_LOST = 255


class Child(Protocol):
    """A process of one's own, as far as its keeper needs it."""

    @property
    def pid(self) -> int: ...

    def kill(self) -> None:
        """End it at once; harmless when it is already gone."""
        ...

    def wait(self, timeout: float) -> bool:
        """Whether it was gone within ``timeout`` seconds."""
        ...


class Nursery:
    """Starts model processes. One per application; ``close`` ends the server, not its children."""

    def __init__(self, preload: tuple[str, ...] = PRELOAD) -> None:
        self._server: forkserver.ForkServer | None = None
        if "forkserver" in multiprocessing.get_all_start_methods():
            self._server = forkserver.ForkServer()
            self._server.set_forkserver_preload(list(preload))

    def warm(self) -> None:
        """Start the server now, so that its imports run while the page is still being built."""
        # The server inherits our environment; there is no way to give it one of its own.
        for name, value in ENVIRONMENT.items():
            os.environ.setdefault(name, value)
        if self._server is not None:
            self._server.ensure_running()

    def start(self, module: str, *args: object) -> tuple[Child, Connection]:
        """Start a process that runs ``module.main(pipe, *args)``; returns it and our pipe end.

        May take seconds while the server is still importing: call it from a thread of your own.
        """
        self.warm()
        ours, theirs = multiprocessing.Pipe()
        try:
            if self._server is None:
                process = multiprocessing.get_context("spawn").Process(
                    target=_enter, args=(module, theirs, args), daemon=True
                )
                process.start()
                return _Spawned(process), ours
            recipe = ForkServerProcess(target=_enter, args=(module, theirs, args))
            return _Forked(_Launch(self._server, recipe)), ours
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()

    def close(self) -> None:
        """End the server. Children that are alive keep it until they are gone."""
        if self._server is not None:
            # Waits for the server, and the server for its last child.
            stop = self._server._stop  # type: ignore[attr-defined]
            threading.Thread(target=stop, name="nursery stop", daemon=True).start()


def _enter(module: str, pipe: Connection, args: tuple[object, ...]) -> None:
    """First thing in a child."""
    # Ctrl-C reaches the whole process group. A child ends when its pipe does, without a traceback.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    main: Callable[..., None] = importlib.import_module(module).main
    main(pipe, *args)


class _Launch(popen_forkserver.Popen):
    """The standard library's launch with two differences: it uses the nursery's own server, and
    it does not run the application's main module again in the child, which would import gradio."""

    def __init__(self, server: forkserver.ForkServer, recipe: ForkServerProcess) -> None:
        self._server = server
        self._fds: list[int] = []
        super().__init__(recipe)

    def _launch(self, process_obj: BaseProcess) -> None:
        preparation = spawn.get_preparation_data(process_obj.name)
        preparation.pop("init_main_from_name", None)
        preparation.pop("init_main_from_path", None)
        buffer = io.BytesIO()
        set_spawning_popen(self)
        try:
            reduction.dump(preparation, buffer)
            reduction.dump(process_obj, buffer)
        finally:
            set_spawning_popen(None)
        self.sentinel, writer = self._server.connect_to_new_process(self._fds)
        # The child watches a copy of this end to learn that we are gone.
        watched = os.dup(writer)
        self.finalizer = util.Finalize(self, _close, (watched, self.sentinel))
        with open(writer, "wb", closefd=True) as pipe:  # noqa: PTH123 - a descriptor, not a path
            pipe.write(buffer.getbuffer())
        self.pid = forkserver.read_signed(self.sentinel)


def _close(*descriptors: int) -> None:
    for descriptor in descriptors:
        os.close(descriptor)


class _Forked:
    """A child of the server."""

    def __init__(self, launch: _Launch) -> None:
        self._launch = launch
        self._polling = threading.Lock()  # guards the launch's one-shot exit status

    @property
    def pid(self) -> int:
        return self._launch.pid

    def kill(self) -> None:
        with self._polling:
            status = self._launch.poll()
        if status in (None, SERVER_LOST):
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def wait(self, timeout: float) -> bool:
        connection.wait([self._launch.sentinel], timeout)
        with self._polling:
            return self._launch.poll() is not None


class _Spawned:
    """A child of our own, on platforms without a fork server."""

    def __init__(self, process: multiprocessing.process.BaseProcess) -> None:
        self._process = process

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    def kill(self) -> None:
        self._process.kill()

    def wait(self, timeout: float) -> bool:
        self._process.join(timeout)
        return self._process.exitcode is not None
