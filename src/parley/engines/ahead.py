"""What a load needs every time and is the same for every model, done once before any.

For the fork server, which can be told to import modules and to do nothing else: so here, and only
here, an import does the work, and every model's process inherits what came of it. Nothing may
depend on it. Knows nothing of models.
"""

from __future__ import annotations

import contextlib

import parley.engines.worker  # noqa: F401 - with all that it imports

# The library's rules for renaming weights: hundreds of patterns, compiled at a process's first
# load. It has no public way to ask for them; without, that load is a little slower.
with contextlib.suppress(ImportError):
    from transformers.conversion_mapping import get_checkpoint_conversion_mapping

    get_checkpoint_conversion_mapping("llama")  # type: ignore[no-untyped-call]
