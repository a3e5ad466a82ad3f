"""A live answer's value: what it shows at each moment of its life."""

from parley.chats.records import ChatMessage
from parley.events import Delta, Failed, Finished, Loading, Queued, Started, Stats
from parley.ui.live import LiveAnswer, merged


def live() -> LiveAnswer:
    answer = ChatMessage("a1", "q1", "assistant", "", model="m", model_name="Model")
    return LiveAnswer(answer, turn=2, turns=3)


def after(*events) -> dict:
    made = live()
    for event in events:
        made.take(event)
    return made.view()


def html(view: dict) -> str:
    return "".join(view["blocks"]) + view["tail"]


def test_it_is_stamped_with_its_model_and_its_place_among_the_answers():
    view = live().view()
    assert (view["model_name"], view["turn"], view["turns"]) == ("Model", 2, 3)


def test_it_says_how_long_it_had_thought_when_its_reader_came():
    answer = ChatMessage("a1", "q1", "assistant", "", model="m", model_name="Model")
    assert LiveAnswer(answer, thought=12.34).view()["thinking_for"] == 12.3
    assert live().view()["thinking_for"] == 0


def test_waiting_and_loading_are_said_with_how_far():
    assert after(Queued(2))["status"] == "Waiting for memory, place 2 in the queue"
    busy = after(Queued(1, "busy"))["status"]
    assert busy == "Waiting for running answers to end, place 1 in the queue"
    loading = after(Loading("weights", 3, 9, 4.2, remaining=8.4))
    assert loading["status"] == "Loading 33 % · 9 s left"
    assert round(loading["progress"], 2) == 0.33
    download = after(Loading("download", 1_200_000_000, 3_100_000_000, 0.0, remaining=80))
    assert download["status"] == "Downloading 1.2 of 3.1 GB · 80 s left"
    unknown = after(Loading("download", 5_000_000, 0))
    assert (unknown["status"], unknown["progress"]) == ("Downloading 5.0 MB", None)
    assert after(Loading("warmup", seconds=7, remaining=1.2))["status"] == "Warming up · 2 s left"


def test_where_nothing_is_known_of_the_rest_it_says_how_long_it_has_taken():
    assert after(Loading("start", seconds=1))["status"] == "Starting the engine"
    assert after(Loading("start", seconds=7.4))["status"] == "Starting the engine · 7 s so far"
    # Longer than it should have taken: no promise.
    late = after(Loading("warmup", seconds=9, remaining=0.0))
    assert late["status"] == "Warming up · 9 s so far"


def test_a_downloads_speed_counts_what_came_just_now():
    made = live()
    # Two of three gigabytes are there from an earlier try; they are not speed.
    for seconds, done in ((0.0, 2_000_000_000), (0.5, 2_012_000_000)):
        made.take(Loading("download", done, 3_000_000_000, seconds))
        assert "/s" not in made.view()["status"]
    made.take(Loading("download", 2_048_000_000, 3_000_000_000, 2.0))
    assert made.view()["status"] == "Downloading 2.0 of 3.0 GB · 24.0 MB/s"
    # Then it slows down: what was fast is forgotten after a few seconds.
    for seconds in range(3, 13):
        made.take(Loading("download", 2_048_000_000 + seconds * 10**6, 3_000_000_000, seconds))
    assert "1.0 MB/s" in made.view()["status"]


def test_a_download_that_starts_over_has_no_negative_speed():
    made = live()
    made.take(Loading("download", 900, 1000, 1.0))
    made.take(Loading("download", 100, 1000, 3.0))
    assert "/s" not in made.view()["status"]


def test_what_can_be_called_off_is_told():
    assert live().view()["waits_for"] == ""
    assert after(Queued(1))["waits_for"] == "place"
    assert after(Queued(1), Loading("start"))["waits_for"] == "model"
    assert after(Loading("warmup"), Started(3))["waits_for"] == ""
    assert after(Loading("start"), Failed("x", "It failed.", "Retry."))["waits_for"] == ""


def test_a_stopped_answer_looks_as_it_will_after_a_reload():
    assert after(Queued(1), Finished("cancelled"))["state"] == "stopped"
    assert after(Delta("x", tokens=1), Finished("length"))["state"] == "done"


def test_text_replaces_the_status():
    view = after(Loading("start"), Started(10), Delta("Hello", tokens=1))
    assert view["status"] == ""
    assert "Hello" in html(view)
    assert view["state"] == "streaming"


def test_finished_blocks_stay_as_they_were_sent():
    made = live()
    sent: list[str] = []
    for piece in ("# A\n\n", "para", "graph\n\n", "- x\n", "- y\n\n", "end"):
        made.take(Delta(piece, tokens=1))
        blocks = made.view()["blocks"]
        assert blocks[: len(sent)] == sent
        sent = blocks
    assert len(sent) >= 2


def test_thinking_stands_apart_from_the_answer():
    view = after(Delta(thinking="Let me see."), Delta("42", tokens=1))
    assert view["thinking"] == "Let me see."
    assert "Let me see" not in html(view)


def test_the_notes_about_the_prompt_are_shown():
    assert after(Started(3, notes=("No chat template.",)))["notes"] == ["No chat template."]


def test_a_failure_keeps_the_text_and_says_what_to_do():
    view = after(Delta("Half", tokens=1), Failed("engine_died", "It died.", "Press Retry."))
    assert view["error"] == {"sentence": "It died.", "fix": "Press Retry."}
    assert "Half" in html(view)
    assert view["text"] == "Half"


def test_the_end_carries_the_whole_text_and_the_figures():
    made = live()
    made.take(Delta("Done", tokens=1))
    made.take(Finished("stop", Stats(completion_tokens=1)))
    view = made.view({"stats": {"completion_tokens": 1, "ttft_seconds": 0.5}})
    assert (view["text"], view["stats"]) == ("Done", "1 token · first token 0.5 s")
    assert made.ended


def test_blocks_that_change_after_they_were_sent_come_with_a_new_version():
    made = live()
    made.take(Delta("See [the page][1].\n\nMore.\n\n", tokens=1))
    before = made.view()
    made.take(Delta("[1]: https://example.org\n", tokens=1))
    made.take(Finished("stop"))
    after_all = made.view()
    assert after_all["version"] != before["version"]
    assert "https://example.org" in html(after_all)


def test_neighbouring_deltas_become_one_and_nothing_else_moves():
    events = [Started(1), Delta("a", tokens=1), Delta("b", "t", 2), Finished("stop")]
    assert list(merged(events)) == [Started(1), Delta("ab", "t", 3), Finished("stop")]
