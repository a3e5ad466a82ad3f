"""Looking closely at an answer, with a real engine: prompt, tokens, code that repeats it."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from functools import partial

import pytest
from transformers import AutoTokenizer

from parley import snippet, turns
from parley.catalog.spec import ModelSpec, Sampling
from parley.chats import tree
from parley.chats.store import Store
from parley.engines.local import LocalEngine
from parley.engines.stock import take_stock
from parley.errors import ParleyError
from parley.looks import ALTERNATIVES, Looks
from parley.playground import Opened, Playground
from parley.pool.appraiser import Appraiser
from parley.pool.memory import Machine
from parley.pool.pool import Pool
from parley.turns import Branch, Turn
from tests import checkpoints
from tests.shelf import FixedShelf

OWNER = "somebody"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return checkpoints.endless(tmp_path_factory.mktemp("endless"))


@pytest.fixture(scope="module")
def bare(tmp_path_factory):
    return checkpoints.build(
        tmp_path_factory.mktemp("bare"), "llama", made=checkpoints.tokenizer(template=None)
    )


@pytest.fixture(scope="module")
def playground(nursery, folder, bare, tmp_path_factory):
    sampling = Sampling(max_new_tokens=12)
    shelf = FixedShelf(
        ModelSpec(id="m", name="M", path=folder, sampling=sampling, system_prompt="Be brief."),
        ModelSpec(id="bare", name="Bare", path=bare, sampling=sampling),
    )
    pool = Pool(
        lambda spec, devices: LocalEngine(spec, nursery, devices),
        Appraiser(partial(take_stock, ask_hub=False)),
        Machine("cpu", {"cpu": 2 * 10**9}, {}),
    )
    pool.start()
    made = Playground(shelf, pool, Store(tmp_path_factory.mktemp("store")))
    yield made
    made.close()


@pytest.fixture(scope="module")
def looks(playground):
    return Looks(playground)


def ask(playground, turn):
    """The answer as it is kept."""

    async def run():
        async for item in playground.ask(turn):
            if isinstance(item, Opened):
                opened = item
        _, messages = playground.store.chat(turn.owner, opened.chat.id)
        await playground.settled(messages, patience=20)
        return opened

    opened = asyncio.run(run())
    _, messages = playground.store.chat(OWNER, opened.chat.id)
    return opened.chat.id, next(m for m in messages if m.id == opened.answer.id), messages


def test_the_exact_prompt_is_that_of_the_answer_and_comes_from_the_cache(playground, looks):
    chat, answer, _ = ask(playground, Turn(OWNER, "m", "Hills and rivers"))
    found = asyncio.run(looks.prompt(OWNER, chat, answer.id))
    assert len(found.ids) == len(found.pieces) == answer.meta["stats"]["prompt_tokens"]
    text = "".join(found.pieces)
    assert "Be brief." in text
    assert "Hills and rivers" in text
    assert found.cached >= len(found.ids) - 1
    assert found.room == found.window - len(found.ids)


def test_another_persons_answer_cannot_be_looked_at(playground, looks):
    chat, answer, _ = ask(playground, Turn(OWNER, "m", "Mine"))
    for look in (looks.prompt, looks.tokens):
        with pytest.raises(ParleyError) as refused:
            asyncio.run(look("somebody else", chat, answer.id))
        assert refused.value.code == "no_such_chat"


def test_a_draft_is_measured_without_being_stored_or_counted(playground, looks):
    chat, answer, before = ask(playground, Turn(OWNER, "m", "One"))
    counted = playground.meters.totals()["m"].answers
    short = asyncio.run(looks.draft(Turn(OWNER, "m", "Two", chat=chat)))
    long = asyncio.run(looks.draft(Turn(OWNER, "m", "Two " * 50, chat=chat)))
    assert len(long.ids) > len(short.ids) + 50 > len(answer.meta["token_ids"])
    assert short.room - long.room == len(long.ids) - len(short.ids)
    assert playground.store.chat(OWNER, chat)[1] == before
    assert playground.meters.totals()["m"].answers == counted
    assert "One" in "".join(short.pieces)


def test_a_draft_loads_no_model(playground, looks):
    assert "bare" not in playground.pool.view().models
    assert asyncio.run(looks.draft(Turn(OWNER, "bare", "Hello"))) is None
    assert "bare" not in playground.pool.view().models


def test_every_token_has_its_probability_and_the_likeliest_in_its_place(playground, looks):
    settings = {"temperature": 0}
    chat, answer, _ = ask(playground, Turn(OWNER, "m", "Say it", settings=settings))
    found = asyncio.run(looks.tokens(OWNER, chat, answer.id))
    assert [score.token for score in found] == answer.meta["token_ids"]
    for score in found:
        assert len(score.alternatives) == ALTERNATIVES
        assert score.alternatives[0].token == score.token  # it was greedy
        assert score.logprob == pytest.approx(score.alternatives[0].logprob)


def test_a_branch_goes_on_from_another_token(playground, looks, folder):
    settings = {"temperature": 0}
    chat, answer, _ = ask(playground, Turn(OWNER, "m", "Say it", settings=settings))
    found = asyncio.run(looks.tokens(OWNER, chat, answer.id))
    other = found[4].alternatives[1].token
    opening = (*answer.meta["token_ids"][:4], other)
    turn = Turn(OWNER, "m", chat=chat, branch=Branch(answer.id, opening), settings=settings)
    _, branched, messages = ask(playground, turn)
    assert [m.id for m in tree.siblings(messages, answer.id)] == [answer.id, branched.id]
    assert branched.meta["token_ids"][:5] == list(opening)
    chosen = Turn(OWNER, "m", chat=chat, retry_of=answer.id, settings=settings)
    assert branched.content != ask(playground, chosen)[1].content
    shown = AutoTokenizer.from_pretrained(folder).decode(branched.meta["token_ids"])
    assert branched.content == shown.replace("\ufffd", "").lstrip()


def run_script(code, tmp_path):
    script = tmp_path / "again.py"
    script.write_text(code)
    env = os.environ | {"HF_HUB_OFFLINE": "1", "OMP_WAIT_POLICY": "PASSIVE"}
    done = subprocess.run(
        [sys.executable, script], capture_output=True, text=True, env=env, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.rstrip("\n")


def whole(folder, answer):
    """The answer with the bytes that are no character, as the library shows them."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    return tokenizer.decode(answer.meta["token_ids"], skip_special_tokens=True).rstrip("\n")


SETTINGS = {
    "greedy": {"temperature": 0},
    "drawn": {"temperature": 0.9, "seed": 5},
    "a drawn seed": {"temperature": 0.7},
    "cut down": {"temperature": 1.1, "top_p": 0.8, "top_k": 50, "min_p": 0.01, "seed": 7},
    "penalty and bias": {"temperature": 0, "repetition_penalty": 1.3, "logit_bias": {"40": 5}},
}


@pytest.mark.parametrize("name", SETTINGS)
def test_the_script_for_transformers_writes_the_same_answer(playground, folder, tmp_path, name):
    first, _, _ = ask(playground, Turn(OWNER, "m", "One", settings={"temperature": 0}))
    turn = Turn(OWNER, "m", 'Two "quoted"\nlines é', chat=first, settings=SETTINGS[name])
    _, answer, messages = ask(playground, turn)
    spec = playground.spec("m")
    said = turns.prompt(spec.system_prompt, tree.path(messages, answer.parent))
    code = snippet.with_transformers(spec, answer, said, local=True)
    assert run_script(code, tmp_path) == whole(folder, answer)


def test_the_script_for_a_model_without_a_template(playground, bare, tmp_path):
    turn = Turn(OWNER, "bare", "Hello", settings={"temperature": 0})
    _, answer, messages = ask(playground, turn)
    spec = playground.spec("bare")
    said = turns.prompt(spec.system_prompt, tree.path(messages, answer.parent))
    code = snippet.with_transformers(spec, answer, said, local=True)
    assert "chat_template" not in code
    assert run_script(code, tmp_path) == whole(bare, answer)


def test_paths_of_this_machine_are_for_its_own_people(playground):
    _, answer, _ = ask(playground, Turn(OWNER, "m", "Hello"))
    spec = playground.spec("m")
    code = snippet.with_transformers(spec, answer, turns.prompt("", []), local=False)
    assert str(spec.path) not in code
