"""The words on the page, in one place.

The page draws these, and the embedded guide's corpus quotes them, so that what the guide tells a
person to press is what the page shows. Knows nothing of either.
"""

from __future__ import annotations

APP = "Parley"

# Sidebar
NEW_CHAT = "New chat"
CHATS = "Chats"
THEME = "Theme"
MACHINE = "Machine"

# Composer
ASK = "Ask anything"
SEND = "Send"
STOP = "Stop"
PICKER = "Model"
PICKER_TITLE = "Choose a model"
PICKER_SEARCH = "Search models"

# Under an answer
COPY = "Copy"
RETRY = "Retry"

# Welcome card
CURRENT_MODEL = "Current model"
EXAMPLES = "Examples"
LOAD_NOW = "Load now"

# A model's live state: picker, welcome card, Machine panel, an answer's place
CANCEL = "Cancel"
UNLOAD_NOW = "Unload now"
PIN = "Pin"

# Settings drawer
SETTINGS = "Settings"
SYSTEM_PROMPT = "System prompt"
TEMPERATURE = "Temperature"
TOP_P = "Top-p"
TOP_K = "Top-k"
MIN_P = "Min-p"
REPETITION_PENALTY = "Repetition penalty"
MAX_NEW_TOKENS = "Max new tokens"
STOP_STRINGS = "Stop strings"
SEED = "Seed"
ANSWER_FORM = "Answer format"
FREE_TEXT = "Free text"
JSON = "JSON"
JSON_SCHEMA = "JSON schema"
REGEX = "Regex"
MORE = "More"
TYPICAL_P = "Typical-p"
FREQUENCY_PENALTY = "Frequency penalty"
PRESENCE_PENALTY = "Presence penalty"
LOGIT_BIAS = "Logit bias"
RESET = "Reset"
RELOAD = "Reload models"
