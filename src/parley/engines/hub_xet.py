"""The few files that huggingface_hub fetches its own way: fast, by chunks, and from the beginning.

The Hub sends files above 50 GB only by the chunk protocol that hf_xet speaks, and somebody with a
very fast line may prefer it for all (HF_XET_HIGH_PERFORMANCE=1). Knows nothing of the cache.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from huggingface_hub import constants, hf_hub_download

from parley.engines.hub_cache import HubFile

# Above this the Hub answers a plain request with an error.
LARGEST = constants.MAX_HTTP_DOWNLOAD_SIZE


def is_for_library(file: HubFile) -> bool:
    return file.size > LARGEST or (constants.HF_XET_HIGH_PERFORMANCE and file.sha256 is not None)


def fetch_by_library(repo: str, commit: str, file: HubFile, seen: Callable[[int], None]) -> None:
    hf_hub_download(repo, file.name, revision=commit, tqdm_class=_bar(seen))
    seen(file.size)


def _bar(seen: Callable[[int], None]) -> type[Any]:
    """A progress bar that reports instead of drawing."""

    class Bar:
        def __init__(self, *, total: int | None = None, initial: int = 0, **_: object) -> None:
            self.total = total
            self._done = initial

        def update(self, count: int | None = 1) -> None:
            self._done += count or 0
            seen(self._done)

        # That there is this method makes huggingface_hub use one bar for what it has received and
        # what it has written. The latter counts.
        def update_transfer(self, count: int | None = 1) -> None: ...

        def set_postfix_str(self, *_: object, **__: object) -> None: ...

        def set_transfer_postfix_str(self, *_: object, **__: object) -> None: ...

        def close(self) -> None: ...

        def __enter__(self) -> Bar:
            return self

        def __exit__(self, *_: object) -> None: ...

    return Bar
