"""Conversations to take away: what each format says, and that no text breaks out of it."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import pytest
from markdown_it import MarkdownIt

from parley.chats.formats import to_html, to_json, to_markdown, to_openai
from parley.chats.records import Chat, ChatMessage
from parley.events import Failed

CHAT = Chat("c", "ann", "Models, explained", 0.0, 9.0, "guide", "a2")


def user(id, parent, content):
    return ChatMessage(id, parent, "user", content)


def answer(id, parent, content, **more):
    return ChatMessage(
        id, parent, "assistant", content, model="guide", model_name="The Guide", **more
    )


# q1 ── a1 ── q2 ── a2
#  └─ a1' (edited)
TALK = (
    user("q1", None, "What is a model?"),
    answer("a1", "q1", "A *function*.", thinking="Hm."),
    user("q2", "a1", "Of what?"),
    answer("a1'", "q1", "A program.", meta={"edited": True, "edited_of": "a1"}),
    answer("a2", "q2", "Of text.", meta={"system_prompt": "Be brief."}),
)


def one(message, title="Title"):
    return Chat("c", "ann", title, 0.0, 0.0, None, message.id), (message,)


# Markdown


def test_markdown_is_the_branch_that_is_read():
    assert to_markdown(CHAT, TALK) == (
        "# Models, explained\n\n1970-01-01 00:00 UTC\n\n"
        "## You\n\nWhat is a model?\n\n"
        "## The Guide\n\n<details><summary>Thoughts</summary>\n\nHm.\n\n</details>\n\n"
        "A *function*.\n\n"
        "## You\n\nOf what?\n\n"
        "## The Guide\n\nOf text.\n"
    )


def test_markdown_of_all_branches_has_every_message_once():
    text = to_markdown(CHAT, TALK, all_branches=True)
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == [
        "1. You",
        "2. The Guide",
        "3. You",
        "4. The Guide",
        "5. The Guide, edited (after 1)",
    ]
    beginnings = (user("a", None, "One"), user("b", None, "Two"))
    text = to_markdown(CHAT, beginnings, all_branches=True)
    assert "## 2. You (another beginning)" in text


@pytest.mark.parametrize(
    ("content", "open_at_the_end"),
    [
        ("```python\nprint(1)", True),
        ("~~~\nx\n```", True),
        ("````\n```\ncode", True),
        ("```\ncode\n```", False),
        ("`code` and ```more```", False),
        ("```\na\n```\ntext\n```js\nb", True),
        ("    ```\nindented", False),
        ("```\ncode\n``` not an end", True),
    ],
)
def test_a_block_of_code_ends_where_its_message_ends(content, open_at_the_end):
    chat = Chat("c", "ann", "T", 0.0, 0.0, None, "q")
    text = to_markdown(chat, (answer("a", None, content), user("q", "a", "Next")))
    headings = [token.content for token in MarkdownIt().parse(text) if token.type == "inline"]
    assert headings[-2:] == ["You", "Next"]
    assert (f"{content}\n\n## You" not in text) is open_at_the_end


@pytest.mark.parametrize("export", [to_markdown, to_html])
@pytest.mark.parametrize(
    ("ended", "said"),
    [
        ({"state": "stopped"}, "Stopped before its end."),
        ({"state": "streaming"}, "Still being written."),
        ({"finish_reason": "length"}, "Cut off by its length."),
        (
            {"state": "failed", "error": Failed("engine_died", "It stopped.", "Retry.")},
            "It stopped. Retry.",
        ),
    ],
)
def test_how_an_answer_ended_is_said(export, ended, said):
    assert said in export(*one(answer("a", None, "A mod", **ended)))
    assert said not in export(*one(answer("a", None, "A mod", finish_reason="stop")))


@pytest.mark.parametrize("export", [to_markdown, to_html, to_openai])
def test_an_empty_chat_has_a_title_at_most(export):
    text = export(Chat("c", "ann", "", 0.0, 0.0, None, None), ())
    assert "Untitled chat" in text or json.loads(text) == {"messages": []}


# HTML


class Page(HTMLParser):
    """Its elements, the text in each, and whatever is not well formed."""

    VOID = frozenset({"meta"})

    def __init__(self, text):
        super().__init__()
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if data.strip() and self.open[-1] != "style":
            self.texts.append(data)


ATTACKS = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</div></article></body></html>",
    "</style><b>",
    "<!-- open",
    "&lt;b&gt; &amp;",
    "a\x00b \ud83d",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_html_shows_every_text_and_runs_none(attack):
    messages = (
        user("q", None, attack),
        ChatMessage("a", "q", "assistant", attack, attack, None, attack, state="stopped"),
    )
    chat = Chat("c", "ann", attack, 0.0, 0.0, None, "a")
    plain = Page(to_html(*one(user("q", None, "x"), "x")))
    page = Page(to_html(chat, messages))
    assert {tag for tag, _ in page.tags} - {tag for tag, _ in plain.tags} <= {"details", "summary"}
    assert sum(text == attack.replace("\ud83d", "?") for text in page.texts) == 6


def test_html_needs_nothing_else():
    page = Page(to_html(CHAT, TALK))
    assert {tag for tag, _ in page.tags}.isdisjoint({"script", "link", "img", "iframe", "base"})
    for _, attributes in page.tags:
        assert attributes.keys().isdisjoint({"src", "href", "onload", "onclick", "style"})
    text = to_html(CHAT, TALK)
    assert "url(" not in text
    assert "http://" not in text
    assert "https://" not in text
    assert "prefers-color-scheme: dark" in text
    policy = next(a["content"] for t, a in page.tags if a.get("http-equiv"))
    assert policy.startswith("default-src 'none'")


def test_html_draws_answers_as_it_is_told_and_leaves_peoples_words():
    text = to_html(CHAT, TALK, draw=lambda content: f"<em>{len(content)}</em>")
    assert "<em>13</em>" in text
    assert "What is a model?" in text
    assert "A *function*." not in text


# OpenAI's messages


def test_openai_messages_are_the_branch_with_its_system_prompt():
    assert json.loads(to_openai(CHAT, TALK)) == {
        "messages": [
            {"role": "system", "content": "Be brief."},
            {"role": "user", "content": "What is a model?"},
            {"role": "assistant", "content": "A *function*."},
            {"role": "user", "content": "Of what?"},
            {"role": "assistant", "content": "Of text."},
        ]
    }


def test_openai_messages_have_no_empty_answer():
    failed = answer("a", "q", " ", state="failed", error=Failed("x", "y", "z"))
    chat = Chat("c", "ann", "T", 0.0, 0.0, None, "a")
    assert json.loads(to_openai(chat, (user("q", None, "Hello"), failed))) == {
        "messages": [{"role": "user", "content": "Hello"}]
    }


# JSON


def test_json_has_everything_but_whose_it_is():
    value = json.loads(to_json([(CHAT, TALK)]))
    assert (value["format"], value["version"]) == ("parley.chats", 1)
    (chat,) = value["chats"]
    fields = set(Chat.__dataclass_fields__) - {"id", "owner", "comparison", "columns"}
    assert set(chat) == fields | {"messages"}
    assert [set(message) for message in chat["messages"]] == [
        set(ChatMessage.__dataclass_fields__)
    ] * len(TALK)
    assert chat["leaf"] == "a2"
    assert [message["parent"] for message in chat["messages"]] == [None, "q1", "a1", "q1", "q2"]


@pytest.mark.parametrize("export", [to_markdown, to_html, to_openai])
def test_half_a_character_can_be_written_to_a_file(export):
    export(*one(answer("a", None, "half \ud83d", thinking="half \ud83d"), "half \ud83d")).encode()
    to_json([one(answer("a", None, "half \ud83d", meta={"half": "\ud83d"}))]).encode()
