"""Brings the files of a Hub model to this machine: what is needed, and nothing else.

First the small files, so that a model that cannot run is refused before gigabytes are fetched, then
the weights the index names. Knows nothing of what is in the files beyond that index.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from parley.catalog.spec import ModelSpec
from parley.engines.checkpoint import PICKLED, shards
from parley.engines.failures import no_safetensors, no_weights

# Bytes so far, bytes in all.
Report = Callable[[int, int], None]

SMALL_FILES = ["*.json", "*.model", "*.txt", "*.jinja", "*.tiktoken"]
FOLDERS = ["*/*"]  # onnx/, original/, gguf/: other forms of the same weights


def fetch_small(spec: ModelSpec) -> Path:
    """Configuration, tokenizer and template; the folder they are in."""
    return _snapshot(spec, SMALL_FILES, lambda done, total: None)


def fetch_weights(spec: ModelSpec, folder: Path, report: Report) -> None:
    """The weights that belong to what ``fetch_small`` brought."""
    wanted = shards(folder)
    missing = [name for name in wanted if not (folder / name).exists()]
    if not missing:
        return
    # The bars learn of a file when its turn comes, so their total grows on the way.
    total = _size(spec, folder.name, missing)
    _snapshot(spec, missing, lambda done, known: report(done, max(known, total)), folder.name)
    if not all((folder / name).exists() for name in wanted):
        raise no_safetensors(spec) if _offers_pickles(spec, folder.name) else no_weights(spec)


def _snapshot(
    spec: ModelSpec, patterns: list[str], report: Report, revision: str | None = None
) -> Path:
    from huggingface_hub import snapshot_download

    assert spec.repo is not None
    return Path(
        snapshot_download(
            spec.repo,
            revision=revision or spec.revision,
            allow_patterns=patterns,
            ignore_patterns=FOLDERS,
            tqdm_class=_bar_class(report),
        )
    )


def _size(spec: ModelSpec, revision: str, names: list[str]) -> int:
    """Bytes of these files, as listed by the Hub when the small ones were fetched."""
    from huggingface_hub import get_cached_repo_tree
    from huggingface_hub.errors import CachedRepoTreeNotFoundError

    assert spec.repo is not None
    try:
        files = get_cached_repo_tree(spec.repo, revision=revision)
    except CachedRepoTreeNotFoundError:
        return 0
    return sum(file.size for file in files if file.path in names)


def _offers_pickles(spec: ModelSpec, revision: str) -> bool:
    from huggingface_hub import HfApi

    assert spec.repo is not None
    return any(
        name.endswith(PICKLED) for name in HfApi().list_repo_files(spec.repo, revision=revision)
    )


def _bar_class(report: Report) -> type[Any]:
    """A progress bar that reports instead of drawing. huggingface_hub opens several; the one that
    counts bytes written to disk is described as reconstructing them."""
    lock = threading.RLock()  # guards the counts: files are fetched by several threads

    class Bar:
        format_dict: Mapping[str, Any] = MappingProxyType({})

        def __init__(
            self,
            iterable: Iterable[object] = (),
            *,
            desc: str = "",
            initial: float = 0,
            total: float | None = None,
            **_: object,
        ) -> None:
            self._iterable = iterable
            self._counts = desc.startswith("Reconstructing")
            self.n = initial
            self.total = total or 0

        def update(self, n: float | None = 1) -> None:
            with lock:
                self.n += n or 0
                self._tell()

        def refresh(self, *_: object, **__: object) -> None:
            with lock:
                self._tell()

        def _tell(self) -> None:
            if self._counts:
                report(int(self.n), int(self.total))

        def __iter__(self) -> Iterator[object]:
            return iter(self._iterable)

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None: ...

        def __getattr__(self, _: str) -> Callable[..., None]:
            return lambda *args, **options: None

        @classmethod
        def get_lock(cls) -> object:
            return lock

        @classmethod
        def set_lock(cls, _: object) -> None: ...

    return Bar
