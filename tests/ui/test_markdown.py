"""What a text becomes on the page: exact HTML for each construct, and nothing that is live."""

from __future__ import annotations

import re
import time
from html import unescape
from html.parser import HTMLParser
from pathlib import Path

import pytest

from parley import labels
from parley.ui.markdown import StreamingMarkdown, render, render_user
from parley.ui.markdown.figure import _CLASS_OF, LANGUAGES, MAX_COLOURED, _lexer
from parley.ui.markdown.maths import MAX_LATEX, mathml
from parley.ui.markdown.sanitise import ATTRIBUTES, CLASSES, CODE_CLASSES, TAGS

HERE = Path(__file__).parent
INJECTIONS = [
    line.replace("␤", "\n")
    for line in (HERE / "injections.txt").read_text(encoding="utf-8").splitlines()
    if not line.startswith("# One")
]
PROSE_CSS = (HERE.parents[1] / "src/parley/ui/assets/prose.css").read_text(encoding="utf-8")

FRAMES = ["{}", "x {} y", "- {}", "> {}", "# {}", "```html\n{}", "$$\\text{{{}}}$$", "`{}"]

LINK = 'target="_blank" rel="noopener noreferrer nofollow"'
MATH = '<math xmlns="http://www.w3.org/1998/Math/MathML" display="{}"><mrow>{}</mrow></math>'
X_SQUARED = "<msup><mi>x</mi><mn>2</mn></msup>"


def figure(language: str, code: str) -> str:
    return (
        f'<figure class="code" data-lang="{language}" dir="ltr">'
        f"<figcaption><span>{language}</span>"
        f'<button type="button" class="copy-code">{labels.COPY}</button></figcaption>'
        f"<pre><code>{code}</code></pre></figure>\n"
    )


def text_of(html: str) -> str:
    return unescape(re.sub(r"<[^>]*>", "", html)).strip()


GOLDEN = {
    # Paragraphs and inline marks
    "**b** *i* ~~s~~ `c<d`": (
        '<p dir="auto"><strong>b</strong> <em>i</em> <s>s</s> <code>c&lt;d</code></p>\n'
    ),
    "one\ntwo": '<p dir="auto">one<br>\ntwo</p>\n',
    "one\r\ntwo": '<p dir="auto">one<br>\ntwo</p>\n',
    "# A *b*": '<h1 dir="auto">A <em>b</em></h1>\n',
    "A\n=": '<h1 dir="auto">A</h1>\n',
    "a\n\n---\n\nb": '<p dir="auto">a</p>\n<hr>\n<p dir="auto">b</p>\n',
    "": "",
    # Links
    "[t](https://a.b/c 'q')": f'<p dir="auto"><a href="https://a.b/c" title="q" {LINK}>t</a></p>\n',
    "see https://a.b/c.": (
        f'<p dir="auto">see <a href="https://a.b/c" {LINK}>https://a.b/c</a>.</p>\n'
    ),
    "<mailto:a@b.c>": f'<p dir="auto"><a href="mailto:a@b.c" {LINK}>mailto:a@b.c</a></p>\n',
    "[t][r]\n\n[r]: http://a.b": f'<p dir="auto"><a href="http://a.b" {LINK}>t</a></p>\n',
    "[t](/etc) [u](#x) [v](//h/x)": '<p dir="auto">t u v</p>\n',
    "[t](javascript:x)": '<p dir="auto">[t](javascript:x)</p>\n',
    "main.py, README.md, a@b.c, www.a.com": (
        '<p dir="auto">main.py, README.md, a@b.c, www.a.com</p>\n'
    ),
    # Images are never fetched
    "![a *b*](http://h/i.png)": f'<p dir="auto"><a href="http://h/i.png" {LINK}>🖼 a b</a></p>\n',
    "![](http://h/i.png)": f'<p dir="auto"><a href="http://h/i.png" {LINK}>🖼 image</a></p>\n',
    "[![a](http://h/i)](http://h/)": f'<p dir="auto"><a href="http://h/" {LINK}>🖼 a</a></p>\n',
    "![a](data:image/png;base64,x)": '<p dir="auto">🖼 a</p>\n',
    # HTML is text
    "List<int> v; a<b>c</b>": '<p dir="auto">List&lt;int&gt; v; a&lt;b&gt;c&lt;/b&gt;</p>\n',
    "vector<std::string> s": '<p dir="auto">vector&lt;std::string&gt; s</p>\n',
    "<div>\n*x*\n</div>": '<p dir="auto">&lt;div&gt;<br>\n<em>x</em><br>\n&lt;/div&gt;</p>\n',
    "&lt;b&gt; &amp;amp;": '<p dir="auto">&lt;b&gt; &amp;amp;</p>\n',
    # Lists
    "- a\n- b\n  1. c": (
        '<ul dir="auto">\n<li>a</li>\n<li>b\n<ol>\n<li>c</li>\n</ol>\n</li>\n</ul>\n'
    ),
    "3. a\n\n4. b": (
        '<ol start="3" dir="auto">\n<li>\n<p>a</p>\n</li>\n<li>\n<p>b</p>\n</li>\n</ol>\n'
    ),
    "- [ ] a\n- [x] **b**": (
        '<ul dir="auto">\n<li class="task-item"><span class="task">☐</span> a</li>\n'
        '<li class="task-item"><span class="task">☑</span> <strong>b</strong></li>\n</ul>\n'
    ),
    "> q\n> > r": (
        '<blockquote dir="auto">\n<p>q</p>\n<blockquote>\n<p>r</p>\n</blockquote>\n</blockquote>\n'
    ),
    # Tables
    "|a|b|\n|:-|-:|\n|c|`d`|": (
        '<div class="table-scroll"><table dir="auto">\n<thead>\n<tr>\n'
        '<th class="align-left">a</th>\n<th class="align-right">b</th>\n</tr>\n</thead>\n'
        '<tbody>\n<tr>\n<td class="align-left">c</td>\n'
        '<td class="align-right"><code>d</code></td>\n</tr>\n</tbody>\n</table></div>\n'
    ),
    # Code
    "```python\ndef f(): return 'x'  # y\n```": figure(
        "python",
        '<span class="k">def </span><span class="nf">f</span>(): <span class="k">return </span>'
        '<span class="s">\'x\'  </span><span class="c"># y\n</span>',
    ),
    "```nonsense\n$$x$$ <b>\n\n```": figure("nonsense", "$$x$$ &lt;b&gt;\n\n"),
    "~~~\na\n~~~": figure("text", "a\n"),
    "```{.rust .x}\n1\n```": figure("rust", '<span class="m">1\n</span>'),
    "    a\n    b": figure("text", "a\nb\n"),
    "```\nnever closed": figure("text", "never closed"),
    # Formulas
    "a \\(x^2\\) b": f'<p dir="auto">a {MATH.format("inline", X_SQUARED)} b</p>\n',
    "a $$x^2$$ b": (
        f'<p dir="auto">a <span class="math-block">{MATH.format("block", X_SQUARED)}</span> b</p>\n'
    ),
    "\\[ x^2 \\]": f'<div class="math-block">{MATH.format("block", X_SQUARED)}</div>\n',
    "a:\n$$\nx^2\n$$\nb": (
        f'<p dir="auto">a:</p>\n<div class="math-block">{MATH.format("block", X_SQUARED)}</div>\n'
        '<p dir="auto">b</p>\n'
    ),
    "- a\n  \\[\n  x^2\n  \\]": (
        '<ul dir="auto">\n<li>a<div class="math-block">'
        f"{MATH.format('block', X_SQUARED)}</div>\n</li>\n</ul>\n"
    ),
    "\\(\\frac\\)": '<p dir="auto"><code class="math-error">\\frac</code></p>\n',
    "`$$x$$ \\(y\\)`": '<p dir="auto"><code>$$x$$ \\(y\\)</code></p>\n',
    "$5 and $6, $x$": '<p dir="auto">$5 and $6, $x$</p>\n',
    "$$ or $$$ or \\$$5": '<p dir="auto">$$ or $$$ or $$5</p>\n',
    "a \\( b, c \\] d \\\\(e\\\\)": '<p dir="auto">a ( b, c ] d \\(e\\)</p>\n',
    "$$\na\n\nb\n$$": '<p dir="auto">$$<br>\na</p>\n<p dir="auto">b<br>\n$$</p>\n',
    # Any script
    "**日本語**の`文` 👩‍👩‍👧": (
        '<p dir="auto"><strong>日本語</strong>の<code>文</code> 👩‍👩‍👧</p>\n'
    ),
    "مرحبا **بك**": '<p dir="auto">مرحبا <strong>بك</strong></p>\n',
    "bad \ud800 half": '<p dir="auto">bad ? half</p>\n',
}


@pytest.mark.parametrize("text", GOLDEN, ids=repr)
def test_construct_renders_exactly(text):
    assert render(text) == GOLDEN[text]


def test_a_person_s_words_are_kept_exactly():
    assert render_user("**a** <b>\n\n  $$x$$ \ud800") == (
        '<div class="plain" dir="auto">**a** &lt;b&gt;\n\n  $$x$$ ?</div>\n'
    )


# --- code -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", sorted(LANGUAGES))
def test_highlighting_keeps_every_character(language):
    code = '\n\n# a <b> \'c\n\tx = {"y": 1}  // z &amp;\n--- é 🙂\n\n'
    assert _lexer(language) is not None
    html = render(f"````{language}\n{code}````")
    assert unescape(re.sub(r"<[^>]*>", "", html.split("<code>")[1].split("</code>")[0])) == code


def test_colour_classes_pass_the_gate_and_have_a_colour():
    assert set(_CLASS_OF.values()) <= CODE_CLASSES
    for name in _CLASS_OF.values():
        assert f"pre .{name} {{" in PROSE_CSS


@pytest.mark.parametrize(
    "code",
    [
        "x = 1\n" * 40_000,
        "a" * 400_000,
        "a a a a a " * 2_000,
        "'" * 20_000,
        "((((" * 5_000,
    ],
    ids=["long", "one line", "java's worst", "quotes", "brackets"],
)
@pytest.mark.parametrize("language", ["python", "java", "html", "nonsense"])
def test_any_code_is_rendered_in_bounded_time(code, language):
    start = time.process_time()
    html = render(f"```{language}\n{code}\n```")
    assert time.process_time() - start < 3
    assert text_of(html).endswith(code[-50:].strip())


def test_very_long_code_is_coloured_at_its_start_only():
    html = render("```python\n" + "x = 1\n" * 10_000 + "```")
    assert html.count('class="m"') == pytest.approx(MAX_COLOURED / len("x = 1\n"), rel=0.01)


# --- formulas -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "latex",
    [
        "{" * 2_000 + "x" + "}" * 2_000,
        "{" * 4_000,
        "x^" * 2_000,
        r"\frac" * 700,
        r"\frac{1}{" * 400 + "x" + "}" * 400,
        r"\left(" * 500,
        r"\begin{align}" * 300,
        r"\text{" * 600,
        "'" * 4_000,
        r"\\" * 2_000,
        "a&" * 2_000,
        "x" * (MAX_LATEX + 1),
        "x" * 1_000_000,
        " ",
        "\\",
        "\x00\x01",
    ],
    ids=lambda latex: latex[:12],
)
def test_pathological_formula_neither_raises_nor_hangs(latex):
    start = time.process_time()
    html = mathml(latex, True)
    assert html.startswith(("<math ", '<code class="math-error">'))
    assert time.process_time() - start < 2


def test_common_environments_are_tables_without_numbers():
    for name in ("align", "aligned", "align*", "pmatrix", "cases"):
        html = mathml(f"\\begin{{{name}}} a &= b \\\\[4pt] c &= d \\end{{{name}}}", True)
        assert html.count("<mtr>") == 2, name
        assert "(1)" not in html
        assert "4pt" not in html


@pytest.mark.parametrize("opener", ["$$", "\\[", "\\(", "$$ a\n", "\\[ a\n", "**", "[", "`", "<h:"])
def test_unclosed_openers_cost_linear_time(opener):
    start = time.process_time()
    render(opener * 3_000)
    assert time.process_time() - start < 5


# --- safety ---------------------------------------------------------------------------------------


class Gate(HTMLParser):
    """Fails on anything that is not in the allow-list, the way a browser would read it."""

    def handle_starttag(self, tag, attrs):
        assert tag in TAGS, tag
        allowed = ATTRIBUTES.get(tag, set()) | {"class"}
        if tag == "a":
            allowed |= {"target", "rel"}
            given = dict(attrs)
            assert given["rel"] == "noopener noreferrer nofollow"
            assert given["target"] == "_blank"
        for name, value in attrs:
            assert name in allowed, (tag, name)
            assert not name.startswith("on")
            assert name not in ("id", "name", "style", "src", "srcset", "xlink:href", "formaction")
            if name == "href":
                assert tag == "a"
                assert re.match(r"(?i)(https?|mailto):", value), value
            if name == "class":
                assert set(value.split()) <= CLASSES[tag]

    def handle_comment(self, data):
        raise AssertionError(f"comment {data!r}")

    handle_decl = handle_pi = unknown_decl = handle_comment


def assert_inert(html: str) -> None:
    gate = Gate()
    gate.feed(html)
    gate.close()


def test_corpus_is_large_enough():
    assert len(set(INJECTIONS)) >= 100


@pytest.mark.parametrize("attack", INJECTIONS, ids=range(len(INJECTIONS)))
def test_injection_yields_nothing_active(attack):
    for frame in FRAMES:
        text = frame.format(attack)
        assert_inert(render(text))
        assert_inert(render_user(text))


@pytest.mark.parametrize("attack", INJECTIONS, ids=range(len(INJECTIONS)))
def test_injection_yields_nothing_active_at_any_moment_of_a_stream(attack):
    live = StreamingMarkdown()
    for character in attack:
        live.feed(character)
        assert_inert(live.tail)
    live.finish()
    assert_inert("".join(live.blocks))


# --- the style sheet ------------------------------------------------------------------------------


def luminance(colour: str) -> float:
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (p / 12.92 if p <= 0.03928 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("theme", [r"\n:root", r"\n\.dark"])
def test_code_is_readable_in_both_themes(theme):
    rules = re.search(theme + r" \{(.*?)\}", PROSE_CSS, re.DOTALL)
    colours = dict(re.findall(r"--code-(\w+): (#\w{6})", rules[1]))
    ground = luminance(colours.pop("surface"))
    assert len(colours) >= 10
    for name, colour in colours.items():
        dark, light = sorted((ground, luminance(colour)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, name


def test_style_sheet_touches_nothing_but_answers():
    plain = re.sub(r"/\*.*?\*/", "", PROSE_CSS, flags=re.DOTALL)
    for selectors in re.findall(r"([^{}]+)\{", plain):
        for selector in re.split(r",(?![^(]*\))", selectors):
            name = selector.strip()
            assert name.startswith((".prose-parley", "@media", ":root", ".dark")), name
