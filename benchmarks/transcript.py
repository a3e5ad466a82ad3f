"""What a streamed answer costs a browser: Parley's own transcript against gr.Chatbot.

    python benchmarks/transcript.py [--history 2 50 200] [--runs 3] [--rate 300]

The same scripted engine writes the same Markdown of 600 tokens in each mode, at --rate tokens/s,
below a history of so many messages. Each mode has a server process of its own and they take turns,
run by run, in one headless Chromium; every figure is a median. `parley` is the real page on the
real store, `parley, no tick` the same without coalescing. `chatbot 50 ms` has Parley's tick,
`chatbot slower` the interval that grows with the history and so shortens a Chatbot's backlog.

    end     s from the engine's last token to the frame that shows the end of the answer
    tail    s from the server's last update to the last change in the messages
    busy    share of the main thread, from Enter to the last change; script and layout within it
    ms/upd  main thread per update
    gap     longest time between two frames, ms
    kB      received over the event stream
    cpu     server CPU per update, ms (a thread that emits the tokens included)

Longer than other files here because it holds both ends of the wire: what serves and what watches.
"""

from __future__ import annotations

import argparse
import json
import math
import queue
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT)]

from parley.catalog.spec import Sampling  # noqa: E402 - after the path
from parley.chats.records import owner_of  # noqa: E402
from parley.engines.base import Message, Ready, Request  # noqa: E402
from parley.events import Delta, Finished, Started, Stats  # noqa: E402
from parley.mailbox import Mailbox  # noqa: E402

TICK = 0.05
TOKENS, TOKEN = 600, 4  # characters per token
GOAL = 0.3
MODES = {
    "parley": "parley",
    "eager": "parley, no tick",
    "chatbot": "chatbot 50 ms",
    "slower": "chatbot slower",
}
BROWSER_ID = "0123456789abcdef" * 2
QUESTION = "Say it again, at length, with a list, some code and a table, please."
LAST_WORDS = "And so the answer ends."
SECTION = """## Part {n}: looking back

Attention lets a **model** look at every earlier token, and `softmax` weighs them; that is *why* it
is scaled by \\(\\sqrt{{d_k}}\\). What follows is plain text, at the length of a usual sentence.

- **First**: words with `code` that go on for a while
- **Second**: see [the paper](https://arxiv.org/abs/1706.03762), and part {n}

```python
def step{n}(state, token):
    # one decoding step
    return state + [token * {n}, "x"]
```

| a | b |
|---|---|
| **cell** {n} | `code` and words |

"""
ANSWER = "".join(SECTION.format(n=n) for n in range(1, 6))[: TOKENS * TOKEN - 60]
ANSWER = (ANSWER.rpartition("\n\n")[0] + "\n\n").ljust(TOKENS * TOKEN - len(LAST_WORDS), ".")
ANSWER += LAST_WORDS


# -- the server's side, in a process of its own --


class Scripted:
    """An engine that loads at once and always gives the same answer, on time."""

    alive = True

    def __init__(self, rate: float) -> None:
        self._rate = rate
        self.last_token = 0.0

    def load(self, on_progress, on_ready, on_failed) -> None:
        ready = Ready("float32", "cpu", None, 1, 4096, True, 0.0)
        threading.Thread(target=on_ready, args=(ready,)).start()

    def generate(self, request, sink) -> Scripted:
        threading.Thread(target=self._write, args=(sink,)).start()
        return self

    def _write(self, sink) -> None:
        sink(Started(prompt_tokens=10))
        start = time.monotonic()
        for n in range(TOKENS):
            time.sleep(max(0.0, start + n / self._rate - time.monotonic()))
            sink(Delta(ANSWER[n * TOKEN : (n + 1) * TOKEN], tokens=1))
        self.last_token = time.time()
        sink(Finished("stop", Stats(10, TOKENS, total_seconds=time.monotonic() - start), seed=1))

    def cancel(self) -> None: ...

    def on_exit(self, callback) -> None: ...

    def on_vitals(self, callback) -> None: ...

    def close(self, why=None) -> None: ...

    def wait_gone(self, timeout) -> bool:
        return True


def serve(mode: str, history: int, runs: int, rate: float) -> None:
    """Says where it listens, then after each answer what that took; ends with its input."""
    engine = Scripted(rate)
    with tempfile.TemporaryDirectory() as folder:
        addresses = (
            open_parley(engine, history, runs, Path(folder))
            if mode in ("parley", "eager")
            else open_chatbot(engine, history, runs, TICK if mode == "chatbot" else slower(history))
        )
        if mode == "eager":
            from parley.ui import stream

            stream.TICK = 0.0
        report_answers(engine)
        print(json.dumps(addresses), flush=True)
        sys.stdin.read()


def slower(history: int) -> float:
    return max(TICK, min(0.25, TICK + 0.001 * history))


def report_answers(engine: Scripted) -> None:
    """Watches what leaves Gradio's queue, the same for every mode."""
    from gradio.queueing import Queue
    from gradio.server_messages import ProcessCompletedMessage, ProcessGeneratingMessage

    send, seen = Queue.send_message, {}

    def watched(self, event, message) -> None:
        send(self, event, message)
        if isinstance(message, ProcessGeneratingMessage):
            if not seen:
                seen.update(updates=0, cpu=time.process_time())
            seen["updates"] += 1
            seen["last_yield"] = time.time()
        elif isinstance(message, ProcessCompletedMessage) and seen:
            seen["cpu"] = time.process_time() - seen["cpu"]
            print(json.dumps({**seen, "last_token": engine.last_token}), flush=True)
            seen.clear()

    Queue.send_message = watched


def open_parley(engine: Scripted, history: int, runs: int, folder: Path) -> list[str]:
    """The page itself; a conversation for each run, kept as if it had been written here."""
    from parley.arena.votes import VoteBox
    from parley.catalog.watch import Shelf
    from parley.chats.store import Store
    from parley.engines.stock import Stock
    from parley.playground import Playground
    from parley.pool.appraiser import Appraiser
    from parley.pool.limits import Limits
    from parley.pool.memory import Machine
    from parley.pool.pool import Pool
    from parley.settings import Settings
    from parley.ui import app

    models = folder / "models.yaml"
    models.write_text("models:\n  - {id: scripted, repo: nobody/scripted, name: Scripted}\n")
    store = Store(folder)
    chats = []
    for _ in range(runs):
        chat, parent = store.create_chat(owner_of(BROWSER_ID), "scripted").id, None
        for n in range(history // 2):
            question = store.add_user(chat, parent, QUESTION).id
            parent = store.begin_answer(chat, question, "scripted", "Scripted").id
            store.end_answer(parent, "done", SECTION.format(n=n), reason="stop")
        chats.append(chat)
    pool = Pool(
        lambda spec, devices: engine,
        Appraiser(lambda spec: Stock(on_disk=True)),
        Machine("cpu", {"cpu": 1 << 30}, {}),
        limits=Limits(hang=math.inf),  # a script has no heart
    )
    pool.start()
    playground = Playground(Shelf((models,)), pool, store)
    settings = Settings("127.0.0.1", None, False, (models,), folder)
    _, url, _ = app.serve(app.build(playground, VoteBox(folder)), settings)
    return [f"{url}#/c/{chat}" for chat in chats]


def open_chatbot(engine: Scripted, history: int, runs: int, every: float) -> list[str]:
    """A usual chat on gr.Chatbot: one async generator, the whole conversation at every update."""
    from parley.ui import quick_import

    quick_import.install()
    import gradio as gr

    def message(role: str, text: str) -> dict:
        return {"role": role, "content": {"type": "text", "text": text}}

    async def reply(said: str, past: list):
        request = Request((Message("user", said),), Sampling())
        mailbox: Mailbox = Mailbox()
        engine.generate(request, mailbox.put)
        past, text, sent, last = [*past, message("user", said)], "", 0.0, False
        while not last:
            events = await mailbox.take(0.2)
            text += "".join(event.text for event in events if isinstance(event, Delta))
            last = any(isinstance(event, Finished) for event in events)
            if not last and (early := sent + every - time.monotonic()) > 0:
                await asyncio.sleep(early)
            sent = time.monotonic()
            yield [*past, message("assistant", text)]

    import asyncio

    turns = [
        message(role, text)
        for n in range(history // 2)
        for role, text in (("user", QUESTION), ("assistant", SECTION.format(n=n)))
    ]
    marks = (("$$", "$$", True), ("\\(", "\\)", False), ("\\[", "\\]", True))
    with gr.Blocks(analytics_enabled=False) as demo:
        chat = gr.Chatbot(
            turns,
            height=640,
            buttons=["copy"],
            latex_delimiters=[{"left": a, "right": b, "display": c} for a, b, c in marks],
        )
        box = gr.Textbox(show_label=False)
        box.submit(reply, [box, chat], chat, show_progress="hidden", api_visibility="private")
    _, url, _ = demo.queue().launch(
        server_name="127.0.0.1",
        prevent_thread_lock=True,
        quiet=True,
        ssr_mode=False,
        run_history=False,
        footer_links=[],
    )
    return [url] * runs


# -- the browser's side --

WATCH = """([messages, answers, words]) => {
  const seen = window.seen = { end: 0, last: 0, gap: 0 };
  new MutationObserver(() => {
    seen.last = Date.now();
    if (seen.end || ![...document.querySelectorAll(answers)].at(-1)?.textContent.includes(words))
      return;
    seen.end = -1;
    requestAnimationFrame(() => setTimeout(() => { seen.end = Date.now(); }));  // it is painted
  }).observe(document.querySelector(messages),
    { childList: true, subtree: true, characterData: true });
  let before = performance.now();
  const frame = () => {
    const now = performance.now();
    seen.gap = Math.max(seen.gap, now - before);
    before = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
}"""
PAGES = {  # where the messages are, what an answer is, what to type into
    "parley": (".parley .messages", ".msg.assistant", ".composer textarea"),
    "chatbot": ("[role=log]", "[data-testid=bot]", "textarea[data-testid=textbox]"),
}


class Server:
    """One mode's server: ``addresses`` has one for each run, ``next`` waits for an answer's end."""

    def __init__(self, mode: str, history: int, runs: int, rate: float) -> None:
        self.mode = mode
        command = [sys.executable, __file__, "--serve", mode, "--history", str(history)]
        self._process = subprocess.Popen(
            [*command, "--runs", str(runs), "--rate", str(rate)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()
        self.addresses = self.next(lambda: time.sleep(0.1))

    def _read(self) -> None:
        for line in self._process.stdout:
            self._lines.put(line)

    def next(self, wait, patience: float = 120):
        end = time.monotonic() + patience
        while self._lines.empty():
            if time.monotonic() > end or self._process.poll() is not None:
                raise SystemExit(f"The server of mode {self.mode} does not answer.")
            wait()
        return json.loads(self._lines.get())

    def close(self) -> None:
        self._process.stdin.close()
        self._process.kill()
        self._process.wait()


def measure(browser, server: Server, address: str, history: int) -> dict[str, float]:
    messages, answers, box = PAGES["parley" if server.mode in ("parley", "eager") else "chatbot"]
    context = browser.new_context(viewport={"width": 1200, "height": 800})
    context.add_init_script(f"localStorage.setItem('parley.owner', JSON.stringify('{BROWSER_ID}'))")
    page = context.new_page()
    cdp = context.new_cdp_session(page)
    streams, received = set(), []

    def asked(event) -> None:
        if "/queue/data" in event["request"]["url"]:
            streams.add(event["requestId"])

    def arrived(event) -> None:
        if event["requestId"] in streams:
            received.append(event["dataLength"])

    cdp.on("Network.requestWillBeSent", asked)
    cdp.on("Network.dataReceived", arrived)
    cdp.send("Network.enable")
    cdp.send("Performance.enable")
    page.goto(address)
    page.wait_for_function(
        f"document.querySelectorAll('{answers}').length === {history // 2}"
        " && (!document.querySelector('.parley') || document.querySelector('.parley[data-ready]'))",
        timeout=60_000,
    )
    page.fill(box, QUESTION)
    page.wait_for_timeout(1000)
    page.evaluate(WATCH, [messages, answers, LAST_WORDS])
    before, start = metrics(cdp), time.time()
    page.press(box, "Enter")
    # The page is left alone meanwhile: asking it anything would be work on its main thread.
    answer = server.next(lambda: page.wait_for_timeout(50))
    seen = None
    while seen is None or seen["end"] <= 0 or time.time() - seen["last"] / 1000 < 1:
        page.wait_for_timeout(600)
        seen = page.evaluate("window.seen")
    after = metrics(cdp)
    context.close()
    last = seen["last"] / 1000
    spent = {name: after[name] - before[name] for name in after}
    return {
        "end": seen["end"] / 1000 - answer["last_token"],
        "tail": last - answer["last_yield"],
        "busy": min(100, 100 * spent["TaskDuration"] / (last - start)),
        "script": 100 * spent["ScriptDuration"] / (last - start),
        "layout": 100 * (spent["LayoutDuration"] + spent["RecalcStyleDuration"]) / (last - start),
        "ms/upd": 1000 * spent["TaskDuration"] / answer["updates"],
        "gap": seen["gap"],
        "kB": sum(received) / 1000,
        "cpu": 1000 * answer["cpu"] / answer["updates"],
        "updates": answer["updates"],
    }


def metrics(cdp) -> dict[str, float]:
    names = "TaskDuration", "ScriptDuration", "LayoutDuration", "RecalcStyleDuration"
    got = {one["name"]: one["value"] for one in cdp.send("Performance.getMetrics")["metrics"]}
    return {name: got[name] for name in names}


FORMATS = {
    "end": "8.2f",
    "tail": "8.2f",
    "busy": "7.0f%",
    "script": "7.0f%",
    "layout": "7.0f%",
    "ms/upd": "8.1f",
    "gap": "7.0f",
    "kB": "7.0f",
    "cpu": "7.1f",
    "updates": "9.0f",
}


def show(*cells: str) -> None:
    widths = [7, 16, *(int(form.split(".")[0]) + form.endswith("%") for form in FORMATS.values())]
    print(
        "".join(f"{cell:>{width}}" for cell, width in zip(cells, widths, strict=True)), flush=True
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--history", type=int, nargs="+", default=[2, 50, 200])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--rate", type=float, default=300)
    parser.add_argument("--serve", choices=MODES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.serve:
        serve(given.serve, given.history[0], given.runs, given.rate)
        return

    from playwright.sync_api import sync_playwright

    from tests.conftest import find_chromium

    print(f"{TOKENS} tokens at {given.rate:.0f}/s, medians of {given.runs} runs")
    show("history", "mode", *FORMATS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        for history in given.history:
            servers = [Server(mode, history, given.runs, given.rate) for mode in MODES]
            found: dict[str, list[dict[str, float]]] = {mode: [] for mode in MODES}
            for run in range(given.runs):
                for server in servers:
                    address = server.addresses[run]
                    found[server.mode].append(measure(browser, server, address, history))
            for server in servers:
                server.close()
            for mode, runs in found.items():
                middle = {name: statistics.median(run[name] for run in runs) for name in FORMATS}
                cells = [
                    format(middle[name], form.rstrip("%").strip()) + "%" * form.endswith("%")
                    for name, form in FORMATS.items()
                ]
                show(str(history), MODES[mode], *(cell.strip() for cell in cells))
                if mode == "parley":
                    ends = max(run["end"] for run in runs)
                    verdict = "met" if ends <= GOAL else "MISSED"
            print(f"    parley's end within {GOAL} s: {verdict} (slowest run {ends:.2f} s)")
        browser.close()


if __name__ == "__main__":
    main()
