"""The laws of a live answer: sent blocks stand, the end equals the whole, cost is flat."""

from __future__ import annotations

import random
import re
import time

import pytest

from parley.ui.markdown import StreamingMarkdown, render, repair
from parley.ui.markdown.streaming import LONG_BLOCK, LONG_TAIL


def squeeze(html: str) -> str:
    return re.sub(r"\s+", " ", html).strip()


def stream(parts: list[str]) -> StreamingMarkdown:
    """Feed `parts`, checking after each that what was sent still stands."""
    live = StreamingMarkdown()
    sent: list[str] = []
    for part in parts:
        live.feed(part)
        assert live.blocks[: len(sent)] == sent
        sent = list(live.blocks)
    live.finish()
    assert live.replaced or live.blocks[: len(sent)] == sent
    assert live.tail == ""
    return live


def assert_same_as_whole(text: str, parts: list[str]) -> None:
    live = stream(parts)
    assert squeeze("".join(live.blocks) + live.tail) == squeeze(render(text)), repr(text)


# --- the end equals the whole ---------------------------------------------------------------------

ANSWERS = {
    "paragraphs": "One *line*\nand another.\n\nTwo.\n\n\n\nThree",
    "headings": "# A\ntext\n## B\n\nC\n===\nD\n---\n\n#tag\n\n# ",
    "tight list": "Intro:\n- a\n- b\n  - c\n    - d\n- e\n\nEnd",
    "loose list": "1. a\n\n2. b\n\n   more\n\n   - c\n\n   - d\n\n3. e\n\nEnd",
    "list after list": "- a\n- b\n\n* c\n* d\n\n1. e\n2) f\n\n3) g",
    "list and a year": "- a\n\n1984 was a year\n\n- b\n\n1984. item\n",
    "list with code": "1. a\n   ```py\n   x = 1\n\n   y\n   ```\n2. b\n\n       code\n\nEnd",
    "lazy lines": "- a\nlazy\n> q\nlazy\n\n> r\n\nEnd",
    "table": "Text\n| a | b |\n|---|:-:|\n| c | d |\n| e\n\nEnd\n\na | b\n- | -\n1 | 2\n\nx",
    "fence": "Code:\n```python\nx = 1\n\n\n# no heading\n- no list\n```\nafter\n\n~~~\n```\n~~~\n",
    "late tables": "p\n#'t'|\n|---|---|&\n\n# A | B\n|---|---|\n| c\n\n```a | b\n|--|--|\n| c",
    "long fence": "`````md\n```\nx\n```\n`````\n\n  ```\n  a\n b\n  ```  \nend",
    "open fence": "a\n\n```js\nlet x = 1\n\n``",
    "not a fence": "``` a`b\n\n```` c ```` d\n\n    ```\n    x\n",
    "indented code": "    a\n\n\n    b\n\nc\n\n\td",
    "quote": "> a\n> - b\n>\n> c\n\n> d\n```\ne\n```",
    "rule": "a\n\n---\nb\n***\n- - -\n* * *\n",
    "formulas": "$$\na\n- b\n# c\n$$\nx \\(y\\)\n\\[\nz\n\\]\n\n$$\nnever\n\nclosed $$ x",
    "formula with a rule": "$$\na\n=\nb\n$$\n\n\\[\nc\n---\nd\n\\]\n\n$$\n***\n$$",
    "formula in a list": "- a\n  $$\n  x\n  $$\n- b\n\\[\nc\n- d\n\\]\n\nE",
    "html": "<div>\n<p>x\n\n</div>\n<!-- a\n\nb -->\n\nList<int> v;\n\n<script>\n\n</script>",
    "definition first": "[a]: http://x.y 'T'\n\n[a] and [b][a]\n\nmore [a]",
    "definition last": "see [a] and [b]\n\nmore\n\n[a]: http://x.y\n[b]: <http://z>\n",
    "definition twice": "[a]: http://one\n\n[a]\n\n[a]: http://two\n\n[a]",
    "line ends": "a\r\nb\r\n\r\n- c\r\n- d\r\n\r\n```\r\ncode\r\n\r\n```\r\n| a |\r\n|--|\r\rEnd\r",
    "scripts": "日本語の**文**。\n\n- 項目 👩‍👩‍👧\n\n1. مرحبا\n\n終わり",
    "odd spaces": "\n\n  \n\ta\n \n\u3000b\n\x0c\nc\x00d\n\u00a0\n",
    "prices": "$5 and $6\n\n$$ is cheap, $$$ is not\n",
}


@pytest.mark.parametrize("name", ANSWERS)
def test_every_way_of_cutting_an_answer_ends_as_the_whole(name):
    text = ANSWERS[name]
    for size in (1, 2, 3, 7, 16, len(text)):
        assert_same_as_whole(text, [text[at : at + size] for at in range(0, len(text), size)])
    for cut in range(len(text)):
        assert_same_as_whole(text, [text[:cut], text[cut:]])


PIECES = [
    *["word", "a | b", "日本", "🙂", "x", "1", "2", "'t'", '"t', "**b**", "*i*", "`c`", "~~"],
    *["\n"] * 4,
    *["\n\n"] * 4,
    *["\n\n\n", "\r\n", "\r", "    ", "  ", "   ", "\t", " ", "\u3000", "\x0c", "\0"],
    *["- ", "* ", "1. ", "2) ", "10. ", "> ", ">", "# ", "## ", "#", "---", "***", "===", "-", "="],
    *["```", "```py", "~~~", "````", "|", "| a | b |", "|---|---|", "- [ ] t"],
    *["\\(x\\)", "\\[", "\\]", "$$", "$$x$$", "\\(", "$", "\\", "**", "*", "_", "`", "[", "]("],
    *["[a]", "[a]: http://x.y", "[b](http://q)", "[a]: ", "![i](http://z)", "http://u.v"],
    *["<b>", "<!-- ", "&amp;", "<a:b>"],
]


@pytest.mark.parametrize("seed", range(20))
def test_random_markdown_cut_at_random_ends_as_the_whole(seed):
    chance = random.Random(seed)
    for _ in range(60):
        text = "".join(chance.choice(PIECES) for _ in range(chance.randint(1, 30)))
        longest = chance.choice([1, 3, 8, 30])
        parts, at = [], 0
        while at < len(text):
            size = chance.randint(1, longest)
            parts.append(text[at : at + size])
            at += size
        assert_same_as_whole(text, parts)


def test_late_definition_is_reported():
    live = stream(["see [a]\n\n", "more\n\n", "[a]: http://x.y"])
    assert live.replaced
    assert 'href="http://x.y"' in live.blocks[0]
    assert not stream(["[a]: http://x.y\n\n", "see [a]\n\n", "more"]).replaced


def test_blocks_leave_the_tail_as_soon_as_they_are_final():
    live = StreamingMarkdown()
    for delta, blocks in [
        ("# Title", 0),
        ("\n", 1),
        ("Text", 1),
        (".\n", 1),
        ("\n", 2),
        ("- a\n\n", 2),
        ("- b\n\n", 2),
        ("Then", 3),
        (":\n```py\n", 4),
        ("x\n\n", 4),
        ("```\n", 5),
        ("$$\nx\n$$\n", 6),
    ]:
        live.feed(delta)
        assert len(live.blocks) == blocks, (delta, live.blocks)


def test_nothing_is_fed_after_the_end():
    live = StreamingMarkdown()
    live.feed("a")
    live.finish()
    live.finish()
    assert live.blocks == ['<p dir="auto">a</p>\n']
    with pytest.raises(RuntimeError):
        live.feed("b")


# --- what is seen on the way ----------------------------------------------------------------------


def moments(text: str) -> list[str]:
    """What is on the page after each character."""
    live, seen = StreamingMarkdown(), []
    for character in text:
        live.feed(character)
        seen.append("".join(live.blocks) + live.tail)
    return seen


def words(html: str) -> str:
    return re.sub(r"<[^>]*>", "", re.sub(r"<(figcaption|math).*?</\1>", "", html))


@pytest.mark.parametrize(
    "text",
    [
        "Some **bold words** and *more* of `code x` ~~gone~~ ***both*** __so__ on.",
        "A [link text](https://example.org/a_b) and ![picture](https://example.org/i.png) end.",
        "- **Name**: value\n- `x`: **y *z***\n\n1. *a*\n2. b",
        "Text\n\n| Name | Age |\n|:-----|----:|\n| **Ann** | `3` |\n",
        "Heading\n\n## Two\n\n- [ ] task\n- [x] done\n\n---\n\n```py\nx\n```\nend",
    ],
)
def test_markup_is_never_seen(text):
    for html in moments(text):
        assert not re.search(r"\*|`|~~|__|\]\(|https|\||\[|#|---", words(html)), html


@pytest.mark.parametrize("name", ["paragraphs", "tight list", "loose list", "fence", "scripts"])
def test_text_never_shrinks(name):
    before = ""
    for html in moments(ANSWERS[name]):
        now = re.sub(r"\s", "", words(html))
        assert len(now) >= len(before) or now.startswith(before[: len(now) - 3]), (before, now)
        before = now


def test_formula_is_source_until_it_is_whole():
    for html in moments("so \\(\\frac{a}{b}\\) and\n$$\na_1 * b_2\n- c\n$$\n"):
        assert "math-error" not in html
        assert "<em>" not in html
        assert "<li>" not in html


def test_paragraph_is_not_a_heading_for_a_moment():
    for html in moments("A paragraph\n- a list\n- of items\n\nAnother\n---x"):
        assert "<h" not in html


REPAIRS = {
    # emphasis
    "**bo": "**bo**",
    "**bold*": "**bold**",
    "***bi": "***bi***",
    "*a **b": "*a **b***",
    "a **": "a ",
    "**Note: ": "**Note:**",
    "~~st": "~~st~~",
    "2*3 and 2 * 3 and a_b": "2*3 and 2 * 3 and a_b",
    "\\*a": "\\*a",
    "line **a\nb": "line **a\nb**",
    "**a\n\nb": "**a\n\nb",
    "- **a\n- b": "- **a\n- b",
    # code
    "`co": "`co`",
    "``a`": "``a``",
    "a `": "a ",
    "`a*b` **c `d": "`a*b` **c `d`**",
    "```py\nx = **1": "```py\nx = **1",
    "```py\nx\n``": "```py\nx\n",
    "```py\nx\n```": "```py\nx\n```",
    "- ```py\n  **x": "- ```py\n  **x",
    # links and images
    "[text](http://x": "text",
    "[text](": "text",
    "[text]": "text",
    "[tex": "tex",
    "**[te](ht": "**te**",
    "[a](b) [c](d": "[a](b) c",
    "![alt](http": "🖼 alt",
    "a[i] and [1] and [2, 3": "a[i] and [1] and [2, 3",
    "<https://ab": "https://ab",
    # formulas
    "\\(x^2": "` \\(x^2 `",
    "a $$x_1": "a ` $$x_1 `",
    "$$\na\n- b": "` $$ a - b `",
    "$$a$$ b": "$$a$$ b",
    "costs $5": "costs $5",
    "x \\": "x ",
    # lines that are not readable yet
    "para\n-": "para\n",
    "para\n=": "para\n",
    "1. a\n2": "1. a\n",
    "- a\n- [x": "- a\n",
    "a\n#": "a\n",
    "a\n``": "a\n",
    # tables
    "| a | b": "| a | b|\n|---|---|\n",
    "| a | b |\n|--": "| a | b |\n|---|---|\n",
    "| a | **b": "| a | **b**|\n|---|---|\n",
    "| a |\n|---|\n| **b": "| a |\n|---|\n| **b**",
}


@pytest.mark.parametrize("text", REPAIRS, ids=repr)
def test_half_received_markdown_is_made_whole(text):
    assert repair(text) == REPAIRS[text]


# --- cost -----------------------------------------------------------------------------------------


def seconds_per_feed(text: str, size: int = 20) -> float:
    live = StreamingMarkdown()
    start = time.process_time()
    for at in range(0, len(text), size):
        live.feed(text[at : at + size])
    live.finish()
    return (time.process_time() - start) / (len(text) / size)


BLOCKS = {
    "prose": "A sentence with **bold** and `code`. " * 10 + "\n\n",
    "code": "```python\n" + "x = f(1)  # comment\n" * 15 + "```\n\n",
    "lists": "- item **one** of a list\n" * 8 + "\nText between them.\n\n",
}


@pytest.mark.parametrize("name", BLOCKS)
def test_cost_of_a_feed_does_not_grow_with_the_answer(name):
    block = BLOCKS[name]
    short = max(seconds_per_feed(block * 5), 1e-4)
    assert seconds_per_feed(block * 60) < 4 * short


ENORMOUS = {
    "open fence": "```python\n" + "x = f(1)  # a comment\n" * 1_000,
    "paragraph": "Word **bold** and `c`. " * 1_000,
    "paragraph without sentences": "word **bold** " * 1_600,
    "list": "- item **one** of a list\n" * 900,
    "list with code": "1. item\n   ```py\n   x = 1\n   ```\n" * 600,
    "table": "| a | **b** |\n|--|--|\n" + "| c | `d` |\n" * 1_800,
    "quote": "> quoted **words** that go on\n" * 750,
}


@pytest.mark.parametrize("name", ENORMOUS)
def test_one_enormous_block_stays_bounded(name):
    assert len(ENORMOUS[name]) > 1.6 * LONG_TAIL
    assert seconds_per_feed(ENORMOUS[name], size=100) < 0.03


@pytest.mark.parametrize("name", ["paragraph", "list", "list with code", "table"])
def test_a_long_block_looks_like_the_whole_while_it_grows(name):
    text = ENORMOUS[name][: 3 * LONG_BLOCK]
    live = StreamingMarkdown()
    for at in range(0, len(text), 50):
        live.feed(text[at : at + 50])
        shown = squeeze("".join(live.blocks) + live.tail)
        assert colourless(shown) == colourless(squeeze(render(repair(text[: at + 50]))))


def colourless(html: str) -> str:
    """Open code is coloured a little later than it arrives."""
    return re.sub(r"</?span[^>]*>", "", html)
