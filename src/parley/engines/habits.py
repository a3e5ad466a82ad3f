"""What a model's own generation config says of tokens that it must never, or not at first, write.

The library's processors. Knows nothing of a request's settings.
"""

from __future__ import annotations

from transformers import (
    GenerationConfig,
    LogitsProcessorList,
    NoBadWordsLogitsProcessor,
    SuppressTokensAtBeginLogitsProcessor,
    SuppressTokensLogitsProcessor,
)


def habits(config: GenerationConfig, prompt: int) -> LogitsProcessorList:
    """Empty for almost every model. ``prompt`` is how many tokens the prompt has."""
    chain = LogitsProcessorList()
    if config.bad_words_ids:
        chain.append(NoBadWordsLogitsProcessor(config.bad_words_ids, config.eos_token_id))
    if config.suppress_tokens:
        chain.append(SuppressTokensLogitsProcessor(config.suppress_tokens))
    if config.begin_suppress_tokens:
        chain.append(SuppressTokensAtBeginLogitsProcessor(config.begin_suppress_tokens, prompt))
    return chain
