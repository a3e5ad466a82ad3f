"""What a live answer costs in CPU time: StreamingMarkdown against rendering all of it each time.

    python benchmarks/markdown.py [characters per feed]

Answers of about 3,000 tokens (12,000 characters), fed in pieces of 16 characters by default: what
arrives in 0.1 s at 40 tokens/s. Both ways run in the same process, one after the other. `kB/feed`
is what a browser is sent if it gets each finished block once and the tail each time.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "src"))

from parley.ui.markdown import StreamingMarkdown, render

SIZE = 12_000

PARAGRAPH = (
    "Attention lets a **model** look at every earlier token, and `softmax` weighs them; see "
    "[the paper](https://arxiv.org/abs/1706.03762) for *why* it is scaled by \\(\\sqrt{d_k}\\). "
    "What follows is plain text that says little, at the length of a usual sentence. "
)
CODE = "def step(state, token):\n    # one decoding step\n    return state + [token * 2, 'x']\n\n"
ITEM = "{}. **Point {}**: words with `code` that go on for a while, as they do in answers\n"

ANSWERS = {
    "prose": "".join(f"{PARAGRAPH * 2}{n}\n\n" for n in range(40)),
    "prose, one paragraph": PARAGRAPH * 60,
    "code, one block": "```python\n" + CODE * 200,
    "code, short blocks": "".join(
        f"Text {n}.\n\n```python\n{CODE * 4}x = {n}\n```\n\n" for n in range(40)
    ),
    "list, one": "".join(ITEM.format(n, n) for n in range(1, 200)),
    "list with code": "".join(
        ITEM.format(n, n) + f"   ```python\n   print({n})\n   ```\n" for n in range(1, 150)
    ),
    "table": "| a | b |\n|---|---|\n"
    + "".join(f"| **cell** {n} of text | `code` and words |\n" for n in range(400)),
    "maths": "".join(
        f"Then $$\\sum_{{i=0}}^{{{n}}} x_i^2$$ and so \\(a_{n} + b\\).\n\n" for n in range(300)
    ),
}


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def streamed(parts: list[str]) -> tuple[list[float], int]:
    """Seconds of each feed (the last is `finish`), and how many bytes a browser is sent."""
    live, seconds, sent, shown = StreamingMarkdown(), [], 0, 0
    for part in [*parts, None]:
        start = time.process_time()
        if part is None:
            live.finish()
        else:
            live.feed(part)
        seconds.append(time.process_time() - start)
        sent += sum(len(block) for block in live.blocks[shown:]) + len(live.tail)
        shown = len(live.blocks)
    return seconds, sent


def whole(parts: list[str]) -> tuple[list[float], int]:
    """The same by rendering everything at each feed."""
    text, seconds, sent = "", [], 0
    for part in parts:
        text += part
        start = time.process_time()
        sent += len(render(text))
        seconds.append(time.process_time() - start)
    return seconds, sent


def main() -> None:
    size = int(sys.argv[1]) if len(sys.argv) > 1 else 16
    print(f"{SIZE} characters, {size} per feed; CPU ms per feed (mean, worst)")
    print(f"{'answer':22}{'streaming':>16}{'kB/feed':>9}{'whole':>16}{'kB/feed':>9}{'ratio':>8}")
    for name, text in ANSWERS.items():
        parts = pieces(text[:SIZE], size)
        render(text[:200])  # loads the lexer and the converter
        live, live_sent = streamed(parts)
        every, every_sent = whole(parts)
        print(
            f"{name:22}{mean_worst(live)}{live_sent / len(live) / 1e3:9.1f}"
            f"{mean_worst(every)}{every_sent / len(every) / 1e3:9.1f}"
            f"{sum(every) / sum(live):7.1f}x"
        )


def mean_worst(seconds: list[float]) -> str:
    return f"{1e3 * sum(seconds) / len(seconds):9.2f} {1e3 * max(seconds):6.1f}"


if __name__ == "__main__":
    main()
