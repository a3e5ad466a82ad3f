"""docs/models-yaml.md says what the loader does."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path

import pytest

from parley.catalog.keys import MODEL, OPENNESS_ITEMS, SAMPLING
from parley.catalog.loader import load
from parley.catalog.reference import reference
from parley.catalog.spec import SAMPLING_LIMITS, ModelSpec, Sampling

PAGE = Path(__file__).parents[2] / "docs" / "models-yaml.md"


def test_the_page_is_up_to_date():
    assert PAGE.read_text(encoding="utf-8") == reference(), (
        "run: python -m parley.catalog.reference > docs/models-yaml.md"
    )


def test_every_key_fills_a_field_and_every_field_has_a_key():
    fields = {f.name for f in dataclasses.fields(ModelSpec)}
    keys = {key.name for key in MODEL.keys}
    assert fields - {"context_trained", "context_max"} == keys - {"context"}
    # What only a request can ask for: it belongs to a question, not to a model.
    asked = {"logit_bias", "json_schema", "regex"}
    fields = {f.name for f in dataclasses.fields(Sampling)}
    assert fields - asked == {key.name for key in SAMPLING.keys}
    assert set(SAMPLING_LIMITS) == {key.name for key in SAMPLING.keys} - {"stop"}


def test_the_openness_card_has_its_five_items():
    assert list(OPENNESS_ITEMS) == [
        "training_data",
        "weights",
        "evaluation_code",
        "fine_tuning_code",
        "training_metrics",
    ]


@pytest.mark.parametrize("example", re.findall(r"```yaml\n(.*?)```", reference(), re.DOTALL))
def test_what_the_page_shows_can_be_loaded(folder, example):
    head = "" if example.startswith("models:") else "models:\n  - id: a\n    repo: o/m\n"
    file = folder / "models.yaml"
    file.write_text(head + example)
    assert load([file]).models
