"""The embedded guide: two tiny language models trained from text this package generates.

`intents/` is the data (what people ask, what the guide answers), `corpus.py` mixes it into
dialogues, `train.py` trains. Nothing here is imported by the page: it sees the guide as two
ordinary folders of weights.
"""
