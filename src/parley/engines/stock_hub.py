"""What the Hub tells of a model that is not here: sizes, configuration, how many parameters.

A handful of small requests, none of them tried twice. Knows nothing of what is made of the answers.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from time import monotonic
from typing import Any

from huggingface_hub import HfApi, get_session, hf_hub_url, hf_raise_for_status
from huggingface_hub.utils import build_hf_headers  # type: ignore[attr-defined]

from parley.catalog.spec import ModelSpec
from parley.engines import hub_listing
from parley.engines.checkpoint import CONFIG, INDEX, PICKLED, SINGLE
from parley.engines.failures import no_safetensors, no_weights, not_found
from parley.engines.hub_cache import SMALL_FILES, RepoCache, matching
from parley.engines.hub_failures import CutShort

SILENCE = 5.0  # seconds for one answer
_SHARD = re.compile(r"model-\d+-of-\d+\.safetensors")


class Inquiry:
    """The listing of ``spec``, and what can be learnt from it until ``deadline`` (monotonic).

    Every method raises what the Hub or the network raises.
    """

    def __init__(self, spec: ModelSpec, deadline: float) -> None:
        assert spec.repo is not None
        self._spec = spec
        self._repo = spec.repo
        self._deadline = deadline
        self._cache = RepoCache(spec.repo)
        self._listing = hub_listing.ask(spec, self._timeout())

    @property
    def counted(self) -> Mapping[str, int]:
        """Parameters by dtype as the Hub has counted them; empty where it has not."""
        return self._listing.parameters

    def config(self) -> Any:
        if CONFIG not in self._listing.names:
            raise not_found(self._spec, f"there is no {CONFIG} in {self._repo}")
        return self._json(CONFIG)

    def download(self) -> int | None:
        """Bytes that a load would fetch; None where the Hub does not tell sizes."""
        commit, files = self._listing.commit, self._listing.files
        names = [*matching(self._listing.names, SMALL_FILES), *self._weights()]
        if any(name not in files for name in names):
            return None
        return sum(files[n].size - self._cache.bytes_here(commit, files[n]) for n in names)

    def check_weights(self) -> None:
        """Raises what a load would if there are none to be had."""
        if not self._weights():
            pickled = any(name.endswith(PICKLED) for name in self._listing.names)
            raise no_safetensors(self._spec) if pickled else no_weights(self._spec)

    def count(self) -> dict[str, int]:
        """Parameters by dtype, from the header of every weights file."""
        api, counts = HfApi(), Counter[str]()
        for name in self._weights():
            header = api.parse_safetensors_file_metadata(
                self._repo, name, revision=self._listing.commit, timeout=self._timeout()
            )
            counts.update(header.parameter_count)
        return dict(counts)

    def _weights(self) -> list[str]:
        names = self._listing.names
        if INDEX not in names:
            return [SINGLE] if SINGLE in names else []
        # As everybody names them. The index itself is not public where a repository is gated.
        found = sorted(name for name in names if _SHARD.fullmatch(name))
        return found or sorted(set(self._json(INDEX)["weight_map"].values()))

    def _json(self, name: str) -> Any:
        commit, file = self._listing.commit, self._listing.files.get(name)
        if file is not None and self._cache.has(commit, file):
            return json.loads((self._cache.snapshot(commit) / name).read_text(encoding="utf-8"))
        response = get_session().get(
            hf_hub_url(self._repo, name, revision=commit),
            headers=build_hf_headers(),
            timeout=self._timeout(),
        )
        hf_raise_for_status(response)
        return response.json()

    def _timeout(self) -> float:
        left = self._deadline - monotonic()
        if left <= 0:
            raise CutShort("there was no time left for another question")
        return min(SILENCE, left)
