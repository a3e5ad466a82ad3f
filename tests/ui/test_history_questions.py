"""What the sidebar and the dialogs ask, answered from a real store."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import pytest

from parley.catalog.spec import Catalogue, ModelSpec
from parley.chats import formats
from parley.chats.records import Chat, ChatMessage, owner_of
from parley.chats.store import Store
from parley.engines.local import LocalEngine
from parley.engines.stock import take_stock
from parley.errors import ParleyError
from parley.playground import Playground
from parley.pool.appraiser import Appraiser
from parley.pool.memory import cpu_machine
from parley.pool.pool import Pool
from parley.ui.questions.data import DataQuestions
from parley.ui.questions.history import PAGE, HistoryQuestions

ANN, BEN = "a" * 32, "b" * 32


class NoModels:
    """A shelf of one model that nobody loads."""

    error = None
    catalogue = Catalogue((ModelSpec(id="quick", name="Quick Llama", path=Path("nowhere")),))


def run(coroutine):
    """In a thread of its own: a browser that other tests opened keeps this one's loop running."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()


@pytest.fixture
def house(tmp_path):
    pool = Pool(LocalEngine, Appraiser(partial(take_stock, ask_hub=False)), cpu_machine({}, None))
    pool.start()
    playground = Playground(NoModels(), pool, Store(tmp_path / "store"))
    history, data = HistoryQuestions(playground), DataQuestions(playground, folder=tmp_path)
    asked = {question.__name__: question for question in (*history.all(), *data.all())}

    def ask(name, who=ANN, **more):
        return run(asked[name]({"owner": who, **more}))

    yield SimpleNamespace(
        store=playground.store, playground=playground, ask=ask, data=data, folder=tmp_path
    )
    playground.close()


def chat(house, text="A question", answer="An answer", who=ANN):
    """A chat of one turn; its id."""
    store, owner = house.store, owner_of(who)
    made = store.create_chat(owner, "quick")
    question = store.add_user(made.id, None, text)
    begun = store.begin_answer(made.id, question.id, "quick", "Quick Llama")
    if answer is not None:
        store.end_answer(begun.id, "done", answer)
    return made.id


def many(house, updated, pinned=()):
    """One chat for each time of last writing, as an import brings them."""
    message = ChatMessage("m", None, "user", "Text")
    chats = [(Chat("", "", f"Chat {t}", t, t, None, "m"), (message,)) for t in updated]
    made = house.store.import_chats(owner_of(ANN), formats.to_json(chats))
    for one in made:
        if one.updated in pinned:
            house.store.pin(owner_of(ANN), one.id, True)


def all_pages(house):
    """The titles in the order in which a person scrolls past them."""
    titles, before, pages = [], None, 0
    while True:
        page = house.ask("more_chats", before=before)
        titles += [c["title"] for c in page["chats"]]
        pages += 1
        if not page["more"]:
            return titles, pages
        before = page["chats"][-1]


def test_every_chat_is_on_one_page(house):
    times = range(1000, 1000 + 2 * PAGE + 50)
    many(house, times, pinned=(1003, 1200))
    titles, pages = all_pages(house)
    rest = [t for t in reversed(times) if t not in (1003, 1200)]
    assert titles == [f"Chat {t}" for t in (1200, 1003, *rest)]
    assert pages == 3


def test_a_page_holds_even_when_all_were_touched_at_one_moment(house):
    many(house, [5.0] * (PAGE + 30))
    titles, pages = all_pages(house)
    assert (len(titles), pages) == (PAGE + 30, 2)


def test_what_moves_up_meanwhile_is_not_passed_over(house):
    many(house, range(1000, 1000 + PAGE + 100))
    first = house.ask("more_chats")
    # The last one that was seen is written to, others come in above, and one is deleted.
    last = first["chats"][-1]
    house.store.add_user(last["id"], None, "More")
    for number in range(PAGE):
        chat(house, f"New {number}")
    house.ask("delete_chats", chats=[first["chats"][0]["id"]])
    moved = house.ask("more_chats", before=first["chats"][-2])
    gone = house.ask("more_chats", before={"id": "gone", "updated": first["chats"][-2]["updated"]})
    wanted = [f"Chat {t}" for t in range(1099, 999, -1)]
    assert [c["title"] for c in moved["chats"]] == wanted
    assert [c["title"] for c in gone["chats"]][-100:] == wanted


def test_another_name_is_kept_and_a_blank_one_is_not(house):
    key = chat(house)
    assert house.ask("rename_chat", chat=key, title="  Its  own name ")["chat"]["title"] == (
        "Its own name"
    )
    assert house.ask("rename_chat", chat=key, title=" ")["chat"]["title"] == "Its own name"
    assert house.ask("pin_chat", chat=key, pinned=True)["chat"]["pinned"] is True
    assert house.ask("pin_chat", chat=key, pinned=False)["chat"]["pinned"] is False


def test_what_is_deleted_comes_back(house):
    whole, begun = chat(house, "One"), chat(house, "Two", answer=None)
    house.ask("delete_chats", chats=[whole, begun, "never"])
    assert house.ask("more_chats")["chats"] == []
    back = house.ask("restore_chats", chats=[whole, begun])["chats"]
    assert [c["title"] for c in back] == ["One", "Two"]


@pytest.mark.parametrize("chats", [None, "abc", [1], {"a": 1}])
def test_no_list_of_chats_is_said(house, chats):
    with pytest.raises(ParleyError, match="not clear which chats"):
        house.ask("delete_chats", chats=chats)


def test_nobody_reaches_anothers_chats(house):
    key = chat(house, "A private thing")
    for name, more in [
        ("rename_chat", {"chat": key, "title": "Mine"}),
        ("pin_chat", {"chat": key, "pinned": True}),
        ("show_message", {"chat": key, "message": "m"}),
        ("export_chats", {"chats": [key], "format": "json"}),
        ("share_chat", {"chat": key}),
    ]:
        with pytest.raises(ParleyError, match="no longer there"):
            house.ask(name, who=BEN, **more)
    house.ask("delete_chats", who=BEN, chats=[key])
    house.ask("wipe", who=BEN)
    assert house.ask("find_chats", who=BEN, text="private") == {"results": []}
    assert [c["title"] for c in house.ask("more_chats")["chats"]] == ["A private thing"]


def test_a_search_finds_titles_and_messages_in_pieces(house):
    key = chat(house, "On whales", "The blue whale is large. " * 3)
    in_title, in_message = house.ask("find_chats", text="WHALE")["results"][:2]
    assert in_title == {
        "chat": key,
        "column": None,
        "message": None,
        "title": [["On ", False], ["whales", True]],
        "snippet": [],
    }
    assert in_message["message"]
    assert in_message["title"] == [["On whales", False]]
    assert "whale" in next(text for text, hit in in_message["snippet"] if hit).lower()


def test_a_message_on_another_branch_is_turned_to(house):
    key, owner = chat(house, "Question", "First answer"), owner_of(ANN)
    _, (question, first) = house.store.chat(owner, key)
    second = house.store.begin_answer(key, question.id, "other", "Other OLMo")
    house.store.end_answer(second.id, "done", "Second answer")
    below = house.store.add_user(key, first.id, "Below the first")
    house.store.set_leaf(owner, key, second.id)
    # What is in view already stays as it is.
    shown = house.ask("show_message", chat=key, message=question.id)
    assert [m["text"] for m in shown["messages"]] == ["Question", "Second answer"]
    shown = house.ask("show_message", chat=key, message=first.id)
    assert [m["text"] for m in shown["messages"]] == ["Question", "First answer", "Below the first"]
    assert house.store.chat(owner, key)[0].leaf == below.id
    with pytest.raises(ParleyError, match="message is gone"):
        house.ask("show_message", chat=key, message="never")


def test_an_export_is_named_after_the_chat_and_comes_in_again(house):
    one, two = chat(house, "A/B: which?", "Both *of* them"), chat(house, "Second")
    page = house.ask("export_chats", chats=[one], format="markdown")
    assert (page["name"], page["type"]) == ("A B which.md", "text/markdown")
    assert "Both *of* them" in page["text"]
    everything = house.ask("export_chats", format="json")
    assert everything["name"].startswith("Parley chats 2")
    assert house.ask("import_chats", who=BEN, text=everything["text"]) == {"count": 2}
    titles = {c["title"] for c in house.ask("more_chats", who=BEN)["chats"]}
    assert titles == {"A/B: which?", "Second"}
    both = house.ask("export_chats", chats=[one, two], format="markdown")["text"]
    assert both.index("# A/B: which?") < both.index("\n---\n") < both.index("# Second")


def test_a_page_of_html_draws_what_the_model_wrote_and_runs_nothing(house):
    key = chat(house, "<b>bold?</b>", "**Yes**\n\n```py\nx = 1\n```\n<script>alert(1)</script>")
    page = house.ask("export_chats", chats=[key], format="html")["text"]
    assert "<strong>Yes</strong>" in page
    assert "&lt;b&gt;bold?&lt;/b&gt;" in page
    assert "<script" not in page
    assert "<button" not in page
    other = chat(house, "Other")
    with pytest.raises(ParleyError, match="holds one chat"):
        house.ask("export_chats", chats=[key, other], format="html")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [({"format": "pdf"}, "no export as 'pdf'"), ({"format": "json"}, "no chats yet")],
)
def test_what_cannot_be_exported_says_so(house, more, sentence):
    with pytest.raises(ParleyError, match=sentence):
        house.ask("export_chats", **more)


def test_a_wipe_takes_chats_and_links(house):
    key = chat(house)
    chat(house, answer=None)
    link = house.ask("share_chat", chat=key)["id"]
    assert house.ask("about_data") == {
        "chats": 2,
        "shares": 1,
        "sharing": True,
        "folder": str(house.folder),
        "most_bytes": formats.MOST_BYTES,
    }
    house.ask("wipe")
    assert house.ask("about_data")["chats"] == 0
    with pytest.raises(ParleyError, match="Nothing is shared"):
        house.ask("open_shared", who=BEN, id=link)


def test_a_shared_copy_is_read_by_others_and_goes_on_as_their_own(house):
    key = chat(house, "Look at this", "Indeed")
    link = house.ask("share_chat", chat=key)["id"]
    house.store.add_user(key, house.store.chat(owner_of(ANN), key)[0].leaf, "Said later")
    shown = house.ask("open_shared", who=BEN, id=link)
    assert shown["title"] == "Look at this"
    assert [m["text"] for m in shown["messages"]] == ["Look at this", "Indeed"]
    own = house.ask("adopt", who=BEN, id=link)["chat"]
    assert own["title"] == "Look at this"
    assert own["id"] != key
    assert [s["title"] for s in house.ask("shares")["shares"]] == ["Look at this"]
    house.ask("unshare", who=BEN, id=link)  # not his to take back
    assert house.ask("open_shared", who=BEN, id=link)
    house.ask("unshare", id=link)
    with pytest.raises(ParleyError, match="Nothing is shared"):
        house.ask("open_shared", who=BEN, id=link)


def test_where_sharing_is_off_the_server_refuses(house):
    key = chat(house)
    link = house.ask("share_chat", chat=key)["id"]
    off = DataQuestions(house.playground, sharing=False)
    asked = {question.__name__: question for question in off.all()}
    for name, more in [("share_chat", {"chat": key}), ("open_shared", {"id": link})]:
        with pytest.raises(ParleyError, match="Sharing is turned off"):
            run(asked[name]({"owner": ANN, **more}))
    with pytest.raises(ParleyError, match="Sharing is turned off"):
        run(asked["adopt"]({"owner": BEN, "id": link}))
    about = run(asked["about_data"]({"owner": ANN}))
    assert (about["sharing"], about["folder"]) == (False, None)


def test_an_import_says_what_is_wrong_and_takes_nothing(house):
    broken = json.dumps({"messages": [{"role": "wizard", "content": "Hm"}]})
    with pytest.raises(ParleyError) as caught:
        house.ask("import_chats", text=broken)
    assert "messages" in caught.value.sentence
    assert house.ask("more_chats")["chats"] == []
