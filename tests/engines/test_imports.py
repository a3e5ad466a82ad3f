"""The page's process must stay without torch, whatever of the engines it imports."""

import subprocess
import sys

PROBE = """
import sys
import parley.engines.base, parley.engines.local, parley.engines.nursery, parley.engines.wire
import parley.engines.thinking, parley.engines.stops, parley.engines.failures
import parley.prompts.render, parley.prompts.formats
print(sorted({"torch", "transformers", "gradio", "tokenizers"} & set(sys.modules)))
"""


def test_the_parent_side_imports_neither_torch_nor_transformers():
    done = subprocess.run(
        [sys.executable, "-c", PROBE],
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": "src", "PATH": ""},
    )
    assert done.stdout.strip() == "[]"
