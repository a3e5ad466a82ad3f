"""A shelf of models whose catalogue never changes, for a playground without files."""

from __future__ import annotations

from parley.catalog.spec import Catalogue, ModelSpec


class FixedShelf:
    error = None

    def __init__(self, *models: ModelSpec) -> None:
        self.catalogue = Catalogue(models)
