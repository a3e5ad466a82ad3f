"""Choosing tokens: the library's settings, penalties as they are defined, and honest noise."""

from __future__ import annotations

import math

import pytest
import torch
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
    TypicalLogitsWarper,
)

from parley.catalog.spec import Sampling
from parley.engines.sampling import Sampler, draw_seed
from parley.errors import GenerationError

CPU = torch.device("cpu")
VOCABULARY = 600
PROMPT = (5, 9, 9, 41)


def random_logits(seed, vocabulary=VOCABULARY, spread=3.0):
    return torch.randn(vocabulary, generator=torch.Generator().manual_seed(seed)) * spread


def chain(sampling):
    """The library's processors for the settings that it has."""
    made = LogitsProcessorList()
    if sampling.repetition_penalty != 1:
        made.append(RepetitionPenaltyLogitsProcessor(sampling.repetition_penalty))
    if sampling.temperature > 0:
        made.append(TemperatureLogitsWarper(sampling.temperature))
        if sampling.top_k:
            made.append(TopKLogitsWarper(sampling.top_k))
        if sampling.top_p < 1:
            made.append(TopPLogitsWarper(sampling.top_p))
        if sampling.min_p:
            made.append(MinPLogitsWarper(sampling.min_p))
        if sampling.typical_p < 1:
            made.append(TypicalLogitsWarper(sampling.typical_p))
    return made


class Listening:
    """A constraint that forbids nothing (or what it is told to) and remembers what it saw."""

    def __init__(self, *forbidden):
        self.forbidden = list(forbidden)
        self.scores = []
        self.accepted = []

    def mask(self, scores):
        self.scores.append(scores.clone())
        return scores.index_fill(0, torch.tensor(self.forbidden, dtype=torch.long), -torch.inf)

    def accept(self, token):
        self.accepted.append(token)


def write(sampling, seed, tokens, **more):
    sampler = Sampler(sampling, seed, PROMPT, CPU, **more)
    answer = []
    for n in range(tokens):
        answer.append(sampler.choose(random_logits(n), answer))
    return answer


SETTINGS = [
    {"temperature": 0.0},
    {"temperature": 0.0, "top_p": 0.1, "top_k": 3, "min_p": 0.5},
    {"temperature": 1.0},
    {"temperature": 0.7},
    {"top_k": 40},
    {"top_k": 1},
    {"top_k": 100_000},
    {"top_p": 0.9},
    {"top_p": 0.0},
    {"min_p": 0.05},
    {"min_p": 1.0},
    {"typical_p": 0.9},
    {"typical_p": 0.2},
    {"repetition_penalty": 1.3},
    {"repetition_penalty": 0.5, "temperature": 0.0},
    {"temperature": 2.0, "top_p": 0.95},
    {
        "temperature": 1.5,
        "top_k": 80,
        "top_p": 0.9,
        "min_p": 0.01,
        "typical_p": 0.8,
        "repetition_penalty": 1.1,
    },
]


@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_token_is_the_one_that_the_librarys_chain_and_the_same_noise_choose(settings):
    sampling = Sampling(**settings)
    sampler = Sampler(sampling, 3, PROMPT, CPU)
    processors = chain(sampling)
    generator = torch.Generator().manual_seed(3)
    answer = []
    for step in range(25):
        logits = random_logits(step)
        scores = processors(torch.tensor([[*PROMPT, *answer]]), logits[None].clone())[0]
        if sampling.temperature > 0:
            uniform = torch.rand(VOCABULARY, generator=generator).clamp(1e-20, 1 - 1e-7)
            scores = scores - torch.log(-torch.log(uniform))
        answer.append(sampler.choose(logits, answer))
        assert answer[-1] == int(scores.argmax())


@pytest.mark.parametrize("settings", [s for s in SETTINGS if s.get("temperature") != 0], ids=str)
def test_draws_follow_the_softmax_of_the_processed_scores(settings):
    sampling = Sampling(**settings)
    logits = random_logits(1, 40, spread=1.5)
    wanted = chain(sampling)(torch.tensor([PROMPT[:3]]), logits[None].clone())[0].softmax(0)
    sampler = Sampler(sampling, 5, PROMPT[:3], CPU)
    draws = 4_000
    drawn = torch.tensor([sampler.choose(logits, []) for _ in range(draws)])
    seen = torch.bincount(drawn, minlength=40) / draws
    # Four and a half standard errors: with 40 tokens and 14 settings, a false alarm for one seed
    # in two hundred and fifty. The seed is fixed.
    assert torch.all((seen - wanted).abs() <= 4.5 * (wanted * (1 - wanted) / draws).sqrt() + 1e-6)
    assert not seen[wanted == 0].any()


def adjusted(logits, answer, prompt=PROMPT, **settings):
    listening = Listening()
    Sampler(Sampling(**settings), 1, prompt, CPU, listening).choose(torch.tensor(logits), answer)
    return listening.scores[0].tolist()


def test_frequency_and_presence_count_the_answer_alone():
    made = adjusted([1.0] * 4, [2, 2, 3], (0, 0), frequency_penalty=0.25, presence_penalty=0.5)
    assert made == [1.0, 1.0, 1 - 2 * 0.25 - 0.5, 1 - 0.25 - 0.5]


def test_negative_penalties_encourage():
    assert adjusted([0.0] * 3, [1], (), frequency_penalty=-2.0) == [0, 2, 0]
    assert adjusted([0.0] * 3, [1, 1], (), presence_penalty=-1.0) == [0, 1, 0]


def test_the_repetition_penalty_counts_the_prompt_and_the_answer():
    made = adjusted([2.0, -2.0, 2.0, 2.0], [2], (0, 1, 1), repetition_penalty=2.0)
    assert made == [1.0, -4.0, 1.0, 2.0]


def test_a_prompt_may_hold_tokens_without_a_score():
    assert adjusted([2.0, 2.0], [], (1, 7), repetition_penalty=2.0) == [2.0, 1.0]


def test_a_bias_comes_before_the_penalties():
    made = adjusted(
        [1.0, 1.0, 1.0],
        [1],
        (),
        logit_bias=((1, 3.0), (2, -100.0)),
        repetition_penalty=2.0,
        presence_penalty=0.5,
    )
    assert made == [1.0, 1.5, -99.0]


def test_penalties_accumulate_over_an_answer_that_is_written_in_pieces():
    answer = [2, 2, 3]
    whole, pieces = Listening(), Listening()
    sampling = Sampling(frequency_penalty=0.3, presence_penalty=0.1, repetition_penalty=1.2)
    Sampler(sampling, 1, (), CPU, whole).choose(random_logits(0), answer)
    sampler = Sampler(sampling, 1, (), CPU, pieces)
    for n in range(4):
        sampler.choose(random_logits(0), answer[:n])
    assert torch.equal(whole.scores[-1], pieces.scores[-1])
    assert whole.accepted == pieces.accepted == answer


def test_greedy_takes_the_best_of_what_is_allowed():
    logits = torch.tensor([1.0, 4.0, 3.0, 2.0])
    sampling = Sampling(temperature=0.0)
    assert Sampler(sampling, 1, (), CPU).choose(logits, []) == 1
    assert Sampler(sampling, 1, (), CPU, Listening(1)).choose(logits, []) == 2


def test_what_is_forbidden_is_never_drawn_and_the_filters_look_at_the_rest():
    logits = torch.tensor([9.0, 1.0, 0.9, -5.0])
    sampler = Sampler(Sampling(temperature=1.0, top_k=2), 1, (), CPU, Listening(0))
    assert {sampler.choose(logits, []) for _ in range(60)} == {1, 2}


def test_the_same_seed_gives_the_same_tokens_and_another_gives_others():
    sampling = Sampling(temperature=1.5)
    assert write(sampling, 11, 20) == write(sampling, 11, 20)
    assert write(sampling, 11, 20) != write(sampling, 12, 20)


def test_what_the_nth_token_draws_depends_on_the_seed_and_n_alone():
    one = Sampler(Sampling(temperature=1.0), 4, (), CPU)
    settings = {"min_p": 0.1, "typical_p": 0.9, "repetition_penalty": 1.5, "top_k": 590}
    other = Sampler(Sampling(temperature=1.0, **settings), 4, PROMPT, CPU, Listening(3))
    for n in range(5):
        one.choose(random_logits(n), [0] * n)
        other.choose(random_logits(100 + n), [1] * n)
    flat = torch.zeros(VOCABULARY)  # here no setting cuts anything, and the noise alone decides
    assert one.choose(flat, [0] * 5) == other.choose(flat, [1] * 5)


def test_global_randomness_is_left_alone():
    torch.manual_seed(1)
    before = torch.get_rng_state()
    write(Sampling(temperature=1.0), 1, 3)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
def test_logits_stay_as_they_are_and_are_chosen_from_in_single_precision(dtype):
    logits = random_logits(1).to(dtype)
    before = logits.clone()
    settings = {"repetition_penalty": 1.2, "presence_penalty": 0.4, "logit_bias": ((1, 2.0),)}
    listening = Listening(3)
    Sampler(Sampling(**settings, top_p=0.9), 1, PROMPT, CPU, listening).choose(logits, [1, 2])
    assert torch.equal(logits, before)
    assert listening.scores[0].dtype == torch.float32


@pytest.mark.parametrize("temperature", [0.0, 0.7])
@pytest.mark.parametrize(
    "logits",
    [[1.0, math.nan, 2.0], [-math.inf] * 3, [1.0, math.inf, 0.0]],
    ids=["nan", "nothing", "infinite"],
)
def test_scores_that_are_none_are_an_error_in_words(logits, temperature):
    sampler = Sampler(Sampling(temperature=temperature, top_p=0.9), 1, (), CPU, name="Olm")
    with pytest.raises(GenerationError, match="Olm computed no usable scores") as caught:
        sampler.choose(torch.tensor(logits), [])
    assert caught.value.code == "bad_logits"


@pytest.mark.parametrize("settings", [{"temperature": 0.0}, {}, {"top_k": 1}, {"typical_p": 0.5}])
def test_no_token_is_made_up_where_none_is_possible(settings):
    sampler = Sampler(Sampling(**settings), 1, (), CPU, Listening(0))
    with pytest.raises(GenerationError) as caught:
        sampler.choose(torch.tensor([1.0, -math.inf, -math.inf]), [])
    assert caught.value.code == "bad_logits"


def test_a_token_that_the_model_rules_out_may_be_there():
    sampler = Sampler(Sampling(temperature=1.0, typical_p=0.9, min_p=0.1), 1, (), CPU)
    assert sampler.choose(torch.tensor([-math.inf, 1.0, -math.inf]), []) == 1


def test_a_bias_for_a_token_that_there_is_not_is_refused():
    with pytest.raises(GenerationError) as caught:
        Sampler(Sampling(logit_bias=((4, 1.0),)), 1, (), CPU, name="Olm").choose(torch.ones(4), [])
    assert str(caught.value) == (
        "logit_bias names token 4, and Olm has 4 tokens. Use ids from 0 to 3."
    )


def test_settings_may_be_whole_numbers():
    assert len(write(Sampling(temperature=2, top_p=0, min_p=1, repetition_penalty=2), 1, 3)) == 3


def test_drawn_seeds_differ():
    assert len({draw_seed() for _ in range(20)}) == 20
