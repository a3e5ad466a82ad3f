"""What the engine tests share: tiny checkpoints, one nursery, and engines to start."""

from __future__ import annotations

import pytest

from parley.catalog.spec import ModelSpec
from parley.engines.base import Ready
from parley.engines.local import LocalEngine
from parley.engines.nursery import Nursery
from parley.errors import ParleyError
from tests import checkpoints
from tests.engines.listening import Listener


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tiny matrices on shared cores: a second thread would mostly wait for its turn."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def checkpoint(tmp_path_factory):
    """Folder of a tiny checkpoint, built at its first use: ``checkpoint("llama")``."""
    built = {}

    def get(family: str = "llama"):
        if family not in built:
            folder = tmp_path_factory.mktemp(family)
            built[family] = checkpoints.build(folder, family)
        return built[family]

    return get


@pytest.fixture(scope="session")
def nursery():
    made = Nursery()
    made.warm()
    yield made
    made.close()


@pytest.fixture
def start(nursery):
    """Start an engine and wait for its model: ``start(folder)``; closed after the test."""
    engines = []

    def make(folder, *, wait=True, **spec):
        spec.setdefault("name", "Tiny")
        engine = LocalEngine(ModelSpec(id="tiny", path=folder, **spec), nursery)
        engines.append(engine)
        listener = Listener()
        engine.load(listener, listener, listener)
        if wait:
            outcome = listener.until(Ready, ParleyError)
            assert isinstance(outcome, Ready), outcome
        engine.listener = listener
        return engine

    yield make
    for engine in engines:
        engine.close()
    assert all(e.wait_gone(10) for e in engines)
