"""What every test of the store gets."""

from __future__ import annotations

import pytest

from parley.chats.store import Store


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def store(folder):
    store = Store(folder)
    yield store
    store.close()
