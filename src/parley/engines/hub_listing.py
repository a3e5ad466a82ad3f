"""One question to the Hub: which commit a revision is, and which files it has.

The answer is public for gated repositories too; only the files are not. Knows nothing of the cache.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from huggingface_hub import HfApi, get_hf_file_metadata, hf_hub_url
from huggingface_hub.errors import FileMetadataError

from parley.catalog.spec import ModelSpec
from parley.engines.hub_cache import HubFile

# An etag becomes a file's name.
_ETAG = re.compile(r"[0-9A-Za-z][0-9A-Za-z_-]{0,127}")


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of one commit. ``unmeasured`` are names whose sizes were not told, as some mirrors
    of the Hub do. ``parameters`` counts by safetensors dtype, empty when the Hub has not counted
    them."""

    commit: str
    files: Mapping[str, HubFile]
    unmeasured: tuple[str, ...] = ()
    parameters: Mapping[str, int] = field(default_factory=dict)

    @property
    def names(self) -> list[str]:
        return [*self.files, *self.unmeasured]


def ask(spec: ModelSpec, timeout: float, commit: str | None = None) -> Listing:
    """What there is at ``commit``, or at the revision that ``spec`` names. ``timeout`` is how many
    seconds the Hub may be silent."""
    assert spec.repo is not None
    revision = commit or spec.revision
    try:
        info = HfApi().model_info(
            spec.repo, revision=revision, files_metadata=True, timeout=timeout
        )
    except (json.JSONDecodeError, KeyError, TypeError) as error:
        raise FileMetadataError("the answer is none of the Hub's") from error
    files: dict[str, HubFile] = {}
    unmeasured = []
    for sibling in info.siblings or ():
        name, sha256 = sibling.rfilename, sibling.lfs.sha256 if sibling.lfs else None
        if sibling.size is None or not sibling.blob_id or not _ETAG.fullmatch(sibling.blob_id):
            unmeasured.append(name)
        elif sha256 is None or _ETAG.fullmatch(sha256):
            files[name] = HubFile(name, sibling.size, sibling.blob_id, sha256)
    parameters = info.safetensors.parameters if info.safetensors else {}
    return Listing(str(info.sha), files, tuple(unmeasured), parameters)


def measure(spec: ModelSpec, commit: str, name: str, timeout: float) -> HubFile:
    """A file whose size was not listed, by asking for the file itself."""
    assert spec.repo is not None
    told = get_hf_file_metadata(hf_hub_url(spec.repo, name, revision=commit), timeout=timeout)
    if told.size is None or told.etag is None or not _ETAG.fullmatch(told.etag):
        raise FileMetadataError(f"no size or no etag for {name}")
    is_sha256 = re.fullmatch("[0-9a-f]{64}", told.etag) is not None
    return HubFile(name, told.size, told.etag, told.etag if is_sha256 else None)
