"""What a tree of processes holds of a Linux machine: memory, processes, threads, open files.

Memory counts each page once, over the whole tree (``Pss``: a page that n processes map counts 1/n
for each). The private pages alone (USS) would not do: what a forked process still shares with the
one it came from is private to neither, so the figure of a fork server *falls* while it has a child.
Nor would the resident sets (RSS), which count such pages, and every library, once per process.

``own`` is the part that cannot belong to anybody else: pages without a file, and the mapped pages
of the weights. Libraries' code is left out of it, because how much of that counts for whom depends
on what else runs on the machine. Neither includes the page cache: a file that was read stays there
until the memory is wanted, and is given up without a word when it is.
"""

from __future__ import annotations

import contextlib
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True, slots=True)
class Use:
    """One moment of a tree; sizes in bytes, summed over its processes."""

    own: int = 0
    pss: int = 0
    uss: int = 0
    rss: int = 0
    processes: int = 0
    threads: int = 0
    files: int = 0


def require_linux() -> None:
    if not Path("/proc/self/smaps_rollup").exists():
        raise SystemExit("This benchmark reads /proc/*/smaps_rollup: it needs Linux 5.4 or later.")


def tree(root: int) -> list[psutil.Process]:
    """The process and everything below it that is not a zombie."""
    with contextlib.suppress(psutil.NoSuchProcess):
        top = psutil.Process(root)
        return [p for p in (top, *top.children(recursive=True)) if _lives(p)]
    return []


def _lives(process: psutil.Process) -> bool:
    with contextlib.suppress(psutil.NoSuchProcess):
        return process.status() != psutil.STATUS_ZOMBIE
    return False


def use(root: int, weights: Path) -> Use:
    """What the tree of ``root`` holds now; ``weights`` is the folder of its checkpoints."""
    total = Use()
    for process in tree(root):
        # It may be gone between two of the files.
        with contextlib.suppress(OSError, psutil.Error, ValueError):
            one = _one(process, str(weights))
            total = Use(*(getattr(total, f) + getattr(one, f) for f in Use.__dataclass_fields__))
    return total


def _one(process: psutil.Process, weights: str) -> Use:
    proc = Path("/proc") / str(process.pid)
    sums = _sums((proc / "smaps_rollup").read_text().splitlines()[1:])
    own = sums["Pss_Anon"] + sums["Pss_Shmem"]
    if weights in (proc / "maps").read_text():
        own += _mapped((proc / "smaps").read_text(), weights)
    return Use(
        own,
        sums["Pss"],
        sums["Private_Clean"] + sums["Private_Dirty"],
        sums["Rss"],
        1,
        process.num_threads(),
        process.num_fds(),
    )


def _sums(lines: list[str]) -> dict[str, int]:
    """``Name: 12 kB`` as bytes by name."""
    pairs = (line.split() for line in lines)
    return {p[0].rstrip(":"): int(p[1]) * 1024 for p in pairs if len(p) == 3 and p[2] == "kB"}


def _mapped(smaps: str, folder: str) -> int:
    """Bytes of pages read from files below ``folder``; pages written since are no longer theirs."""
    total, inside = 0, False
    for line in smaps.splitlines():
        name, _, value = line.partition(":")
        if " " in name:  # a mapping's own line: "7f00-7f10 r--p 00000000 fd:00 123   /its/file"
            inside = folder in line
        elif inside and name in ("Pss", "Anonymous"):
            size = int(value.split()[0]) * 1024
            total += size if name == "Pss" else -size
    return total


def watch(root: int, weights: Path, seconds: float) -> list[tuple[float, Use]]:
    """The tree as it changes during ``seconds``, each sample with the age it was complete at."""
    began = time.perf_counter()
    samples: list[tuple[float, Use]] = []
    while not samples or samples[-1][0] < seconds:
        seen = use(root, weights)
        samples.append((time.perf_counter() - began, seen))
        time.sleep(0.005)
    return samples


class Peak:
    """The most private memory, without pages of files, that one process had while this is open;
    None looks at none. What it still shares with the one it was forked from is not in it."""

    def __init__(self, pid: int | None) -> None:
        self._rollup = Path("/proc") / str(pid) / "smaps_rollup" if pid else None
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.bytes = 0

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self) -> None:
        self._over.set()
        self._thread.join()

    def _look(self) -> None:
        while self._rollup is not None:
            with contextlib.suppress(OSError):  # not there yet, or gone
                sums = _sums(self._rollup.read_text().splitlines()[1:])
                # Not Private_Dirty: a page of a file that is yet to be written is in that too.
                self.bytes = max(self.bytes, sums["Anonymous"] - sums["Shared_Dirty"])
            if self._over.wait(0.02):
                return


def megabytes(size: float) -> str:
    return f"{size / 1e6:,.0f} MB"
