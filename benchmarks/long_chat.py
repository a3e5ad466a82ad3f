"""What a long conversation costs its reader: opening it, typing below it, scrolling through it.

    python benchmarks/long_chat.py [--messages 2 100 500] [--runs 3]

A real Parley, its own store filled with questions and answers (prose, lists, code, tables), one
headless Chromium. No model runs. Each size is measured as it is and, for comparison, with all of it
laid out (`all laid out`: without `content-visibility`); runs take turns, every figure is a median.

    server   s from asking for the conversation to having it: read from the store, rendered, sent
    draw     s from having it to the frame that shows its end
    key      ms from a key's press to the frame after it, median; `worst` of all presses
    frames   frames per second while a wheel turns; `longest` time between two of them, ms
    jump     ms from being told to go to a message in the middle to the frame that shows it
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from parley.chats.records import owner_of  # noqa: E402 - after the path
from parley.chats.store import Store  # noqa: E402
from tests.conftest import find_chromium  # noqa: E402
from tests.ui.conftest import running  # noqa: E402

MODELS = """models:
  - {id: none, name: Nobody, repo: nobody/nothing, description: Never asked anything.}
"""
BROWSER = "0123456789abcdef0123456789abcdef"
TEXT = (
    "Words that fill a line and go on, so that the browser has something to lay out and to wrap. "
)
ANSWERS = (
    "Yes.",
    f"{TEXT * 4}\n\n- **First**: {TEXT}\n- **Second**: `code`, and {TEXT}\n\n{TEXT * 2}",
    f"{TEXT}\n\n```python\n" + "def f(x):\n    return [x, 'text', 1.5]  # why\n\n" * 8 + "```\n",
    f"{TEXT * 2}\n\n| a | b | c |\n|---|---|---:|\n" + "| **cell** | `code` | 42 |\n" * 8,
)
PLAIN = ".parley .msg { content-visibility: visible !important }"
SHOWN = "await new Promise(go => requestAnimationFrame(() => requestAnimationFrame(go)));"

OPEN = f"""async chat => {{
  const ask = Parley.ask;
  let answered = 0;
  Parley.ask = (name, data) => {{
    const reply = ask(name, data);
    if (name === "open_chat") reply.then(() => {{ answered = performance.now(); }});
    return reply;
  }};
  const began = performance.now();
  await Parley.chats.open(chat);
  {SHOWN}
  Parley.ask = ask;
  return [(answered - began) / 1000, (performance.now() - answered) / 1000];
}}"""
KEYS = """() => {
  window.keys = [];
  document.addEventListener("keydown", e => requestAnimationFrame(
    () => setTimeout(() => window.keys.push(performance.now() - e.timeStamp))), true);
}"""
FRAMES = """() => {
  const frames = window.frames_ = [performance.now()];
  const frame = () => { frames.push(performance.now()); requestAnimationFrame(frame); };
  requestAnimationFrame(frame);
}"""
GAPS = "() => window.frames_.slice(1).map((at, n) => at - window.frames_[n])"
JUMP = f"""async () => {{
  const all = Parley.transcript.all(), began = performance.now();
  Parley.scroll.to(all[Math.floor(all.length / 2)], 100);
  {SHOWN}
  return performance.now() - began;
}}"""

COLUMNS = ("server", "draw", "key", "worst", "frames", "longest", "jump")
FORMATS = dict(zip(COLUMNS, ("8.2f", "7.2f", "6.0f", "7.0f", "8.0f", "9.0f", "6.0f"), strict=True))


def fill(folder: Path, messages: int) -> str:
    store = Store(folder)
    chat, parent = store.create_chat(owner_of(BROWSER), "none").id, None
    for n in range(messages // 2):
        question = store.add_user(chat, parent, f"Question number {n}, and why it is asked?")
        parent = store.begin_answer(chat, question.id, "none", "None").id
        store.end_answer(parent, "done", ANSWERS[n % len(ANSWERS)], reason="stop")
    store.close()
    return chat


def measure(page: Page, chat: str) -> dict[str, float]:
    server, draw = page.evaluate(OPEN, chat)
    page.wait_for_timeout(500)
    page.evaluate(KEYS)
    page.focus(".composer textarea")
    page.keyboard.type("What is typed below a long chat.", delay=60)
    page.wait_for_timeout(200)
    keys = page.evaluate("window.keys")
    page.mouse.move(600, 400)
    page.evaluate(FRAMES)
    for _ in range(60):
        page.mouse.wheel(0, -500)
        page.wait_for_timeout(16)
    gaps = page.evaluate(GAPS)
    return {
        "server": server,
        "draw": draw,
        "key": statistics.median(keys),
        "worst": max(keys),
        "frames": 1000 * len(gaps) / sum(gaps),
        "longest": max(gaps),
        "jump": page.evaluate(JUMP),
    }


def visit(browser: Browser, url: str, chat: str, style: str) -> dict[str, float]:
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    context.add_init_script(f"localStorage.setItem('parley.owner', JSON.stringify('{BROWSER}'))")
    page = context.new_page()
    page.goto(url)
    page.wait_for_selector(".parley[data-ready]", timeout=60_000)
    page.add_style_tag(content=style or "/* as it is */")
    found = measure(page, chat)
    context.close()
    return found


def table(browser: Browser, sizes: list[int], runs: int) -> Iterator[str]:
    yield f"{'messages':>8}{'':>14}" + "".join(
        f"{name:>{FORMATS[name].split('.')[0]}}" for name in COLUMNS
    )
    for messages in sizes:
        with tempfile.TemporaryDirectory() as data, tempfile.NamedTemporaryFile("w+") as models:
            models.write(MODELS)
            models.flush()
            chat = fill(Path(data), messages)
            found: dict[str, list[dict[str, float]]] = {"": [], PLAIN: []}
            with running(Path(models.name), Path(data), HF_HUB_OFFLINE="1") as server:
                for _ in range(runs):
                    for style, seen in found.items():
                        seen.append(visit(browser, server.url, chat, style))
        for style, seen in found.items():
            cells = (
                format(statistics.median(run[name] for run in seen), FORMATS[name])
                for name in COLUMNS
            )
            yield f"{messages:>8}{'all laid out' if style else '':>14}" + "".join(cells)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--messages", type=int, nargs="+", default=[2, 100, 500])
    parser.add_argument("--runs", type=int, default=3)
    given = parser.parse_args()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        for line in table(browser, given.messages, given.runs):
            print(line, flush=True)
        browser.close()


if __name__ == "__main__":
    main()
