"""A pool with a virtual clock, fake engines and models whose size is the last digit of their id."""

from __future__ import annotations

from parley.catalog.spec import ModelSpec
from parley.engines.stock import Stock
from parley.errors import ParleyError
from parley.meters import Meters
from parley.pool.appraiser import Appraiser
from parley.pool.estimate import ways
from parley.pool.ledger import Ledger
from parley.pool.limits import Limits
from parley.pool.memory import Machine
from parley.pool.pool import Pool
from parley.pool.slots import Lease, OneByOne
from tests.pool.fake_engine import FakeEngine

GB = 10**9


class Sizes(Appraiser):
    """Knows every model: ``a4`` takes four units, ``a?`` is not known until ``found``."""

    def __init__(self):
        super().__init__(lambda spec: Stock())
        self.unknown = set()
        self.asked = []

    def stock(self, spec):
        return None if spec.id in self.unknown else Stock(on_disk=True)

    def look(self, spec, done=lambda: None):
        self.asked.append((spec.id, done))


class Person:
    """One who asked: what they heard, and the leases they hold."""

    def __init__(self, house, ticket, news):
        self.house, self.ticket, self.news = house, ticket, news
        self.given_back = 0

    @property
    def leases(self):
        return [n for n in self.news if isinstance(n, Lease)][self.given_back :]

    @property
    def error(self):
        return next((n for n in self.news if isinstance(n, ParleyError)), None)

    @property
    def one_by_one(self):
        return any(isinstance(n, OneByOne) for n in self.news)

    @property
    def served(self):
        return bool(self.leases) or self.given_back > 0

    def release(self):
        for lease in self.leases:
            lease.release()
            self.given_back += 1
        self.house.pump()

    def cancel(self):
        self.ticket.cancel()
        self.house.pump()

    def leave(self):
        self.ticket.leave()
        self.house.pump()


class House:
    """``budget`` units of memory on one device, or on each of several."""

    def __init__(self, budget=10, *, ledger=None, make=FakeEngine, **limits):
        limits.setdefault("load_width", 10)
        self.now = 1000.0
        self._engine = make
        self.engines: list[FakeEngine] = []
        self.sizes = Sizes()
        self.meters = Meters()
        devices = budget if isinstance(budget, dict) else {"cpu": budget}
        kind = "cuda" if "cuda:0" in devices else "cpu"
        self.pool = Pool(
            self._make,
            self.sizes,
            Machine(kind, devices, {name: name for name in devices}),
            limits=Limits(**limits),
            ledger=ledger or Ledger(),
            meters=self.meters,
            clock=lambda: self.now,
        )
        self.pool._owner.ways = self._ways

    def _make(self, spec, devices):
        self.engines.append(self._engine(spec, devices))
        return self.engines[-1]

    def _ways(self, spec):
        machine = self.pool._owner.machine
        if machine is None or self.sizes.stock(spec) is None:
            return ()
        return ways(int(spec.id[-1]), machine.budget)

    # -- people --

    def spec(self, model, **more):
        return ModelSpec(id=model, name=model, repo=f"made/{model}", **more)

    def ask(self, *models, insist=False, **more) -> Person:
        news: list[object] = []
        specs = [self.spec(model, **more) for model in models]
        ticket = self.pool.request_together(specs, news.append, insist=insist)
        self.pump()
        return Person(self, ticket, news)

    def lease(self, model, **more) -> Person:
        """Ask, and see the model loaded."""
        person = self.ask(model, **more)
        if not person.leases:
            self.engine(model).becomes_ready()
            self.pump()
        assert person.leases, person.news
        return person

    # -- the world --

    def step(self):
        """The owner takes one message from its inbox, where there is one."""
        if not self.quiet:
            self.pool._do(self.pool._inbox.get_nowait())

    @property
    def quiet(self):
        return self.pool._inbox.empty()

    def pump(self):
        """The owner does all there is to do."""
        self.pool.pump()
        while not self.quiet:
            self.pool.pump()

    def passes(self, seconds, step=1.0):
        """Time goes by in small steps, and every engine beats."""
        end = self.now + seconds
        while self.now < end:
            self.now = min(end, self.now + step)
            for engine in self.engines:
                if engine.alive:
                    engine.beats()
            self.pump()

    def engine(self, model) -> FakeEngine:
        """The youngest engine of a model."""
        return next(e for e in reversed(self.engines) if e.spec.id == model)

    def loads(self, model) -> int:
        return sum(e.loads for e in self.engines if e.spec.id == model)

    def buried(self):
        """Every engine that was told to go has gone."""
        self.pump()
        for engine in self.engines:
            if engine.closed:
                engine.goes()
        self.pump()

    def state(self, model):
        view = self.pool.view().models.get(model)
        return view.state if view else "cold"

    def in_memory(self):
        return {m for m, v in self.pool.view().models.items() if v.state == "ready"}

    def close(self):
        self.pool.close(1)
