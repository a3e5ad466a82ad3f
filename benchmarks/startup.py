"""How long Parley takes to open, what takes the time, and how soon a first answer begins.

    python benchmarks/startup.py [--runs 5]

1. From the start of `python app.py` to the first 200 on `GET /`; before it one run that warms the
   disk's cache and is not counted.
2. Where that time goes, by `python -X importtime` on the building of the same page: each module's
   own time, summed over the package it belongs to. Once as Parley does it, once with Gradio writing
   its type stubs (`quick_import.py` left out). The tracing itself costs time: read the shares.
3. Whether torch, or anything of transformers, has been imported in the page's process.
4. From Enter to the first token on a fresh start, the default model cold: a client of the `/chat`
   endpoint connects, asks at once and waits for the first text; the engine's fork server has had
   only the time since the start. A second question, the model warm, stands beside it.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from pathlib import Path

from gradio_client import Client

ROOT = Path(__file__).resolve().parents[1]
GOAL_OPEN, GOAL_TOKEN = 3.0, 5.0
PATIENCE = 120

BUILD = """
import sys, tempfile, time
from pathlib import Path
sys.path.insert(0, "src")
if {stubs}:
    import parley.ui.quick_import as quick
    quick.install = lambda: None
start = time.perf_counter()
from parley.catalog.watch import Shelf
from parley.chats.store import Store
from parley.engines.stock import Stock
from parley.arena.votes import VoteBox
from parley.playground import Playground
from parley.pool.appraiser import Appraiser
from parley.pool.pool import Pool
from parley.settings import default_models_file
from parley.ui import app
with tempfile.TemporaryDirectory() as folder:
    store = Store(Path(folder))
    pool = Pool(lambda spec, devices: None, Appraiser(lambda spec: Stock()))
    box = VoteBox(Path(folder))
    app.build(Playground(Shelf((default_models_file(),)), pool, store), box)
    box.close()
    store.close()
print(time.perf_counter() - start)
print(*(name for name in ("torch", "transformers") if name in sys.modules))
"""
GROUPS = {
    "gradio": {"gradio", "gradio_client"},
    "pandas, numpy": {"pandas", "numpy", "dateutil", "pytz"},
    "fastapi, pydantic": {"fastapi", "starlette", "pydantic", "pydantic_core", "uvicorn"},
    "huggingface_hub, httpx": {"huggingface_hub", "httpx", "httpcore", "h11", "anyio"},
    "markdown, latex, nh3": {"markdown_it", "mdit_py_plugins", "pygments", "latex2mathml", "nh3"},
    "parley": {"parley"},
}


@contextlib.contextmanager
def parley(folder: str):
    """A Parley as a person starts it; gives its address and when it was started."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    start = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "app.py", "--port", str(port)],
        cwd=ROOT,
        env=os.environ | {"PARLEY_DATA_DIR": folder, "HF_HUB_OFFLINE": "1"},
        stdout=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        yield f"http://127.0.0.1:{port}", start, process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def opened(url: str, process: subprocess.Popen) -> float:
    """When the first 200 came."""
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        with (
            contextlib.suppress(OSError),
            urllib.request.urlopen(url, timeout=PATIENCE) as answer,
        ):
            if answer.status == 200:
                return time.monotonic()
        time.sleep(0.01)
    raise SystemExit("Parley did not open.")


def first_token(url: str) -> float:
    """Seconds from asking to the first text."""
    client = Client(url, verbose=False)
    asked = time.monotonic()
    for text in client.submit("How do I switch models?", api_name="/chat"):
        if text:
            return time.monotonic() - asked
    raise SystemExit("The answer was empty.")


def build(*options: str, stubs: bool = False) -> tuple[float, list[str], str]:
    """Seconds the page takes to import and build, what it must not import but did, the trace."""
    done = subprocess.run(
        [sys.executable, *options, "-c", BUILD.format(stubs=stubs)],
        cwd=ROOT,
        env=os.environ | {"GRADIO_ANALYTICS_ENABLED": "False"},
        capture_output=True,
        text=True,
        check=True,
    )
    seconds, heavy = done.stdout.split("\n")[:2]
    return float(seconds), heavy.split(), done.stderr


def shares(trace: str) -> Counter[str]:
    """Milliseconds of import by group of packages."""
    spent: Counter[str] = Counter()
    for own, name in re.findall(r"^import time:\s+(\d+) \|\s+\d+ \| +(\S+)$", trace, re.M):
        package = name.partition(".")[0]
        group = next((g for g, names in GROUPS.items() if package in names), "everything else")
        spent[group] += int(own) / 1000
    return spent


def middle(values: list[float]) -> str:
    return f"{statistics.median(values):.2f} s ({min(values):.2f} to {max(values):.2f})"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--runs", type=int, default=5)
    runs = parser.parse_args().runs

    times: list[float] = []
    cold: list[float] = []
    warm: list[float] = []
    for run in range(runs + 1):
        with tempfile.TemporaryDirectory() as folder, parley(folder) as (url, start, process):
            at = opened(url, process)
            if run:
                times.append(at - start)
                cold.append(first_token(url))
                warm.append(first_token(url))
    print(f"start to first 200 on GET /    {middle(times)}; goal {GOAL_OPEN:.0f} s")
    print(f"Enter to first token, cold     {middle(cold)}; goal {GOAL_TOKEN:.0f} s")
    print(f"Enter to first token, warm     {middle(warm)}")

    quick, slow = [], []
    for _ in range(runs):
        quick.append(build())
        slow.append(build(stubs=True))
    fast, full = ([one[0] for one in these] for these in (quick, slow))
    ratio = statistics.median(full) / statistics.median(fast)
    print(f"import and build               {middle(fast)}")
    print(f"  with Gradio's type stubs     {middle(full)}, {ratio:.1f} x")
    heavy = sorted({name for one in quick for name in one[1]})
    print(f"imported in the page's process {', '.join(heavy) or 'neither torch nor transformers'}")

    print("\nimport by package, its own modules' time (traced; medians)")
    traces = [shares(build("-X", "importtime")[2]) for _ in range(min(runs, 3))]
    groups = sorted(
        {g for t in traces for g in t}, key=lambda g: -statistics.median(t[g] for t in traces)
    )
    total = statistics.median(t.total() for t in traces)
    for group in groups:
        own = statistics.median(t[group] for t in traces)
        print(f"  {group:26}{own:7.0f} ms{own / total:7.0%}")
    print(f"  {'all imports':26}{total:7.0f} ms")


if __name__ == "__main__":
    main()
