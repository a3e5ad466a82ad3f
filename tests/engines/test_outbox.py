"""Few and larger pieces on the pipe, in order, and nothing lost."""

import multiprocessing

from parley.engines.outbox import Outbox
from parley.engines.wire import Said
from parley.events import Delta, Finished, Loading, Started


def through(messages):
    ours, theirs = multiprocessing.Pipe()
    with ours, theirs:
        outbox = Outbox(theirs)
        for message in messages:
            outbox.put(message)
        outbox.drain()
        got = []
        while ours.poll():
            got += ours.recv()
        return got


def test_deltas_of_one_answer_are_merged_and_complete():
    said = [Said(1, Started(3)), *(Said(1, Delta("x", "", 1)) for _ in range(500))]
    got = through([*said, Said(1, Finished("stop"))])
    assert isinstance(got[0].event, Started)
    assert isinstance(got[-1].event, Finished)
    deltas = [m.event for m in got[1:-1]]
    assert sum(d.tokens for d in deltas) == 500
    assert "".join(d.text for d in deltas) == "x" * 500
    assert len(deltas) < 100


def test_answers_are_not_mixed():
    got = through([Said(i % 2, Delta(str(i % 2), "", 1)) for i in range(100)])
    for number in (0, 1):
        texts = [m.event.text for m in got if m.id == number]
        assert "".join(texts) == str(number) * 50


def test_thinking_comes_before_the_answer_it_leads_to():
    got = through(
        [Said(1, Delta("", "hm", 1)), Said(1, Delta("yes", "", 1)), Said(1, Delta("", "b", 1))]
    )
    order = [kind for m in got for kind in (m.event.thinking, m.event.text) if kind]
    assert order == ["hm", "yes", "b"]


def test_progress_keeps_the_newest_of_a_phase():
    got = through([Loading("weights", i, 9) for i in range(9)] + [Loading("warmup")])
    assert got[-1] == Loading("warmup")
    assert got[-2] == Loading("weights", 8, 9)


def test_a_closed_pipe_is_not_an_error():
    ours, theirs = multiprocessing.Pipe()
    ours.close()
    outbox = Outbox(theirs)
    outbox.put(Said(1, Delta("x")))
    outbox.drain()
    theirs.close()
