"""The folder that one repository has in huggingface_hub's cache: what lies in it, and adding to it.

    blobs/<etag>               a whole file, under a name that stands for its content
    blobs/<etag>.incomplete    the beginning of one
    snapshots/<commit>/<name>  a link to a blob
    refs/<revision>            the commit that a branch or tag was when it was last asked for
    trees/<commit>.json        names and sizes of all its files, whether they are here or not

Other programs use the same cache, so the layout is the library's to the letter. Knows nothing of
the network, and of models only which files a load needs.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from huggingface_hub import constants, get_cached_repo_tree
from huggingface_hub.errors import CachedRepoTreeNotFoundError
from huggingface_hub.file_download import repo_folder_name

from parley.catalog.spec import ModelSpec
from parley.engines.checkpoint import CONFIG, INDEX, has_tokenizer, is_intact, shards

# Fetched before the weights.
SMALL_FILES = ("*.json", "*.model", "*.txt", "*.jinja", "*.tiktoken")
# Those of them without which a load fails, or goes on with something else in their place.
NEEDED = (
    *(CONFIG, INDEX, "generation_config.json", "tokenizer*", "special_tokens*", "added_tokens*"),
    *("vocab*", "merges.txt", "*.model", "*.jinja", "*.tiktoken"),
)
TREE_FORMAT = 1
_COMMIT = re.compile("[0-9a-f]{40}")


@dataclass(frozen=True, slots=True)
class HubFile:
    """A file as the Hub lists it. ``blob_id`` is Git's SHA-1 of it, ``sha256`` is known of large
    files."""

    name: str
    size: int
    blob_id: str
    sha256: str | None = None

    @property
    def etag(self) -> str:
        return self.sha256 or self.blob_id


def matching(names: Iterable[str], patterns: tuple[str, ...]) -> list[str]:
    """Names at the top of a repository. What lies in its folders (onnx/, original/, gguf/) is the
    same model in other forms."""
    return sorted(n for n in names if "/" not in n and any(fnmatch(n, p) for p in patterns))


class RepoCache:
    """One repository's part of the cache."""

    def __init__(self, repo: str) -> None:
        cache = Path(constants.HF_HUB_CACHE).expanduser()
        folder = repo_folder_name(repo_id=repo, repo_type="model")
        self.repo = repo
        self.folder = cache / folder
        self._locks = cache / ".locks" / folder

    def commit(self, revision: str | None) -> str | None:
        """The commit that ``revision`` was when it was last asked for."""
        if revision is not None and _COMMIT.fullmatch(revision):
            return revision
        try:
            return self._ref(revision).read_text(encoding="utf-8").strip() or None
        except OSError:
            return None

    def snapshot(self, commit: str) -> Path:
        return self.folder / "snapshots" / commit

    def blob(self, file: HubFile) -> Path:
        return self.folder / "blobs" / file.etag

    def partial(self, file: HubFile) -> Path:
        return self.folder / "blobs" / f"{file.etag}.incomplete"

    def lock(self, file: HubFile) -> Path:
        return self._locks / f"{file.etag}.lock"

    # ---- what lies here ------------------------------------------------------------------------

    def has(self, commit: str, file: HubFile) -> bool:
        """Whether ``file`` is in the snapshot, and as long as it should be."""
        return _size(self.snapshot(commit) / file.name) == file.size

    def bytes_here(self, commit: str, file: HubFile) -> int:
        """How much of ``file`` is on this disk already."""
        if self.has(commit, file) or _size(self.blob(file)) == file.size:
            return file.size
        return min(_size(self.partial(file)) or 0, file.size)

    def sizes(self, commit: str) -> dict[str, int]:
        """Sizes of all files of ``commit`` as the Hub once listed them; empty when it was never
        asked."""
        try:
            tree = get_cached_repo_tree(self.repo, revision=commit)
        except CachedRepoTreeNotFoundError:
            return {}
        return {file.path: file.size for file in tree}

    def complete(self, commit: str | None, *, surely: bool) -> Path | None:
        """The snapshot's folder, if a load can do with what is in it.

        With ``surely`` only if the Hub's own listing says so. Without one, what another program
        has left counts as complete when nothing is missing that every model has.
        """
        if commit is None:
            return None
        folder = self.snapshot(commit)
        if not (folder / CONFIG).is_file():
            return None
        weights = shards(folder)
        listed = self.sizes(commit)
        if listed:
            needed = {*matching(listed, NEEDED), *weights}
            whole = all(_size(folder / name) == listed.get(name, -1) for name in needed)
        else:
            whole = not surely and has_tokenizer(folder)
            whole = whole and all(is_intact(folder / name) for name in weights)
        return folder if whole else None

    # ---- adding to it --------------------------------------------------------------------------

    def make_folders(self, commit: str) -> None:
        for folder in (self.folder / "blobs", self.snapshot(commit), self._locks):
            folder.mkdir(parents=True, exist_ok=True)

    def remember(self, revision: str | None, commit: str, files: Mapping[str, HubFile]) -> None:
        """Note what the Hub said, for when it cannot be asked. ``files`` are all or none."""
        tree = self.folder / "trees" / f"{commit}.json"
        if files and not tree.exists():
            listed = {name: _as_listed(file) for name, file in sorted(files.items())}
            _write(tree, json.dumps({"format_version": TREE_FORMAT, "files": listed}, indent=1))
        if revision != commit:
            _write(self._ref(revision), commit)

    def link(self, commit: str, file: HubFile) -> None:
        """Give a blob its name in the snapshot."""
        pointer = self.snapshot(commit) / file.name
        blob = self.blob(file)
        scratch = pointer.with_name(f"{pointer.name}.{os.getpid()}.link")
        try:
            scratch.symlink_to(os.path.relpath(blob, pointer.parent))
            scratch.replace(pointer)
        except OSError:  # a disk without links
            shutil.move(blob, pointer)

    def _ref(self, revision: str | None) -> Path:
        return self.folder / "refs" / (revision or constants.DEFAULT_REVISION)


def snapshot_here(spec: ModelSpec, *, surely: bool) -> Path | None:
    """The folder of ``spec`` in the cache, if everything that a load needs is in it."""
    assert spec.repo is not None
    cache = RepoCache(spec.repo)
    return cache.complete(cache.commit(spec.revision), surely=surely)


def _as_listed(file: HubFile) -> dict[str, str | int]:
    entry: dict[str, str | int] = {"size": file.size, "blob_id": file.blob_id}
    if file.sha256 is not None:
        entry |= {"lfs_sha256": file.sha256, "lfs_size": file.size}
    return entry


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _write(path: Path, text: str) -> None:
    """Whole or not at all; that a cache cannot be written to is no reason to fail."""
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{path.name}.{os.getpid()}.tmp")
        scratch.write_text(text, encoding="utf-8")
        scratch.replace(path)
