"""Models for suites: real ones, slow enough to be killed half-way."""

from __future__ import annotations

import pytest
import yaml

from tests import checkpoints


@pytest.fixture(scope="session")
def catalogue(tmp_path_factory):
    home = tmp_path_factory.mktemp("models")
    entries = [
        {"id": name, "path": str(checkpoints.build(home / name, family, seed=seed))}
        for name, family, seed in (("one", "llama", 1), ("two", "olmo2", 2), ("umpire", "llama", 3))
    ]
    torn = checkpoints.copy(home / "one", home / "torn")
    weights = torn / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:2000])
    entries.append({"id": "torn", "path": str(torn)})
    file = home / "models.yaml"
    file.write_text(yaml.safe_dump({"models": entries}))
    return file
