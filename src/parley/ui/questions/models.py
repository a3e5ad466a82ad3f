"""What the page asks about models: which there are, what is so at this moment, what to do with one.

Plain data in and out. Knows Gradio not at all, and nothing of how a model is loaded.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import Sequence

from huggingface_hub import get_token

from parley.catalog.spec import Catalogue
from parley.errors import CatalogueError, ParleyError
from parley.playground import Playground
from parley.pool.view import Fit
from parley.speech import Said
from parley.ui import machine, views
from parley.ui.questions.asked import Payload, Question, owner


class ModelQuestions:
    def __init__(self, playground: Playground) -> None:
        self._playground = playground
        self._catalogue: tuple[object, object] = (None, None)
        self._catalogue_crc = 0

    def all(self) -> Sequence[Question]:
        return (
            self.hello,
            self.states,
            self.machine,
            self.load_now,
            self.unload,
            self.pin,
            self.reload,
        )

    async def hello(self, data: Payload) -> Payload:
        """Everything the page needs to draw itself."""
        shelf = self._playground.shelf
        catalogue, error = shelf.catalogue, shelf.error
        live = self._live(catalogue, error)
        reply: Payload = live | {
            "models": [views.card(m) | live["models"][m.id] for m in catalogue.models],
            "default": catalogue.default.id,
            "catalogue_error": Said(error) if error else None,
        }
        if data.get("chats"):
            found = await asyncio.to_thread(self._playground.store.chats, owner(data))
            reply["chats"] = [views.chat(c) for c in found if c.title]
        return reply

    async def states(self, data: Payload) -> Payload:
        """Every model's live state, and which catalogue the page should be showing."""
        shelf = self._playground.shelf
        answering = self._playground.answering(owner(data)) if data.get("owner") else ()
        return self._live(shelf.catalogue, shelf.error) | {"answering": sorted(answering)}

    def _live(self, catalogue: Catalogue, error: CatalogueError | None) -> Payload:
        # Asked every second by every open page: nothing in here may wait.
        playground = self._playground
        specs = catalogue.models
        view = playground.pool.view()
        return {
            "models": machine.states(
                specs,
                view,
                {spec.id: self._fit(spec.id) for spec in specs},
                {spec.id: playground.stock(spec.id) for spec in specs},
                token=any(spec.gated for spec in specs) and bool(get_token()),
            ),
            "memory": machine.usage(view),
            "version": self._version(catalogue, error),
        }

    def _fit(self, model_id: str) -> Fit:
        try:
            return self._playground.fit(model_id)
        except ParleyError:
            return Fit("unknown")  # the catalogue changed meanwhile

    def _version(self, catalogue: Catalogue, error: CatalogueError | None) -> int:
        """Differs when a page should draw its models anew."""
        key = (catalogue, error)
        if any(new is not old for new, old in zip(key, self._catalogue, strict=True)):
            self._catalogue, self._catalogue_crc = key, zlib.crc32(repr(key).encode())
        return self._catalogue_crc

    async def machine(self, data: Payload) -> Payload:
        """The Machine panel: memory, what is in it, the queue, counts."""
        playground = self._playground
        specs = playground.shelf.catalogue.models
        return machine.machine(specs, playground.pool.view(), playground.meters.totals())

    async def load_now(self, data: Payload) -> Payload:
        self._playground.load_now(str(data.get("model")))
        return {}

    async def unload(self, data: Payload) -> Payload:
        """Also calls off a load."""
        self._playground.unload(str(data.get("model")))
        return {}

    async def pin(self, data: Payload) -> Payload:
        self._playground.pin(str(data.get("model")), data.get("pinned") is True)
        return {}

    async def reload(self, data: Payload) -> Payload:
        await asyncio.to_thread(self._playground.shelf.reload)
        return {}
