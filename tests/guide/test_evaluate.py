"""The evaluation is well formed, and the judge tells right answers from wrong ones."""

from __future__ import annotations

import hashlib
import json
from collections import Counter

import pytest

from parley.guide import evaluate as ev

APP_HELP = {
    *("switch_model", "compare_models", "vote", "add_model", "local_checkpoint", "stop_answer"),
    *("retry_answer", "new_chat", "find_old_chat", "change_temperature", "system_prompt"),
    *("seed_reproduce", "max_tokens", "copy_answer", "dark_mode", "stats_line", "why_slow"),
    *("load_now", "privacy_offline", "gpu_needed", "error", "what_is_parley", "which_models"),
    *("models_yaml_fields", "examples", "newline", "api_use", "data_location", "start"),
    *("gated_model", "port_share"),
}
AT_LEAST = {
    "app_help": 100,
    "concepts": 50,
    "model_facts": 35,
    "small_talk": 25,
    "memory": 25,
    "story": 12,
    "honesty": 45,
}
REFUSAL = (
    "Sorry, I am a tiny demo model and only know Parley and open models. "
    "A bigger model from the picker can help you."
)
TALE = (
    "A small {0} sat by the window and dreamed of the moon. One night it climbed up to the roof. "
    "The moon smiled at it. Then the {0} went home and slept."
)

RIGHT = {
    "app_help-switch_model-01": "Click the model's name in the composer and choose another one.",
    "app_help-switch_model-05": "No: your history is kept when you switch.",
    "app_help-compare_models-01": "Ask, pick another model and press Retry. Both answers are kept.",
    "app_help-vote-01": "Voting is not in this version yet.",
    "app_help-add_model-01": "Add an `id` and a `repo` to `models.yaml`, press `Reload models`.",
    "app_help-local_checkpoint-01": "Use path instead of repo in models.yaml.",
    "app_help-stop_answer-01": "Press `Stop`; the text written so far stays.",
    "app_help-new_chat-01": "Press New chat in the sidebar. The old one stays in Chats.",
    "app_help-find_old_chat-01": "It is in the sidebar under Chats, stored on this machine.",
    "app_help-seed_reproduce-01": "Set a Seed in Settings: same seed, same prompt, same text.",
    "app_help-dark_mode-01": "Press Theme in the sidebar.",
    "app_help-why_slow-01": "It runs on this computer, and bigger models are slower.",
    "app_help-newline-01": "Enter sends, Shift+Enter makes a new line.",
    "app_help-port_share-01": "Set GRADIO_SERVER_PORT to another port.",
    "concepts-token-01": "A token is a small piece of text, such as a word or part of a word.",
    "concepts-quantisation-01": "It stores the numbers with fewer bits to save memory.",
    "concepts-base_vs_chat-02": "A base model continues text; a chat model answers questions.",
    "model_facts-mistral-04": "Mistral 7B was made by Mistral AI.",
    "model_facts-llama2-06": "Llama 2 has the Llama 2 Community licence.",
    "model_facts-olmo-03": "OLMo was released in February 2024.",
    "model_facts-which_one-02": "BioMistral was trained on medical papers.",
    "small_talk-who_are_you-01": "I\N{RIGHT SINGLE QUOTATION MARK}m Parley Guide, a demo model.",
    "small_talk-chatgpt-01": "No, I am Parley Guide, a tiny demo model.",
    "small_talk-languages-02": "I only speak English.",
    "memory-name_recall-01": "Your name is Lukas.",
    "memory-pet-01": "Your dog is called Biscuit.",
    "memory-follow_up-01": "It was released in 2024.",
    "story-story-01": TALE.format("cat"),
    "story-joke-01": "Why did the robot sleep? Because its battery was tired.",
    "honesty-geography-02": REFUSAL,
    "honesty-near_miss-01": "I only know Parley and open models, not the weather.",
}
WRONG = {
    "app_help-switch_model-01": "Ask, then pick another model and press Retry.",
    "app_help-switch_model-05": "Press New chat in the sidebar. The old one stays in Chats.",
    "app_help-compare_models-01": "Click the model's name and choose another one.",
    "app_help-vote-01": "Press Retry under the answer.",
    "app_help-add_model-01": "Open the picker: Choose a model lists them all.",
    "app_help-local_checkpoint-01": "Add an id and a repo to models.yaml.",
    "app_help-stop_answer-01": "Open Settings and add Stop strings.",
    "app_help-new_chat-01": "Press Retry under the answer.",
    "app_help-find_old_chat-01": "Press New chat in the sidebar. The old one stays in Chats.",
    "app_help-seed_reproduce-01": "Open Settings and lower the Temperature.",
    "app_help-dark_mode-01": REFUSAL,
    "app_help-why_slow-01": "The reason is shown. Press Retry, or pick a smaller model.",
    "app_help-newline-01": "Press Stop.",
    "app_help-port_share-01": "It is in the directory set by PARLEY_DATA_DIR.",
    "concepts-token-01": "Llama 2 reads 4096 tokens of text.",
    "concepts-quantisation-01": "A leaderboard ranks models by their scores.",
    "concepts-base_vs_chat-02": REFUSAL,
    "model_facts-mistral-04": "Llama 2 was made by Meta.",
    "model_facts-llama2-06": "Falcon has the Apache-2.0 licence.",
    "model_facts-olmo-03": "BioMistral was released in 2024.",
    "model_facts-which_one-02": "OLMo is the most open one.",
    "small_talk-who_are_you-01": "Goodbye, see you soon!",
    "small_talk-chatgpt-01": "Yes, I am ChatGPT.",
    "small_talk-languages-02": "Oui, je parle aussi français.",
    "memory-name_recall-01": "Your name is Lucia.",
    "memory-pet-01": "Your dog is called Luna.",
    "memory-follow_up-01": "It was made by the Allen Institute for AI.",
    "story-story-01": TALE.format("robot"),
    "story-joke-01": REFUSAL,
    "honesty-geography-02": "It is 6,650 km long. I am a tiny demo model and only know Parley.",
    "honesty-near_miss-01": "Open Settings and move Temperature.",
}


@pytest.fixture(scope="module")
def items() -> dict[str, ev.Item]:
    # Loading compiles every pattern, so it proves that they compile.
    return {item.id: item for item in ev.load_items()}


@pytest.mark.parametrize(("item", "answer"), RIGHT.items())
def test_judge_accepts_the_right_answer(items, item, answer):
    assert ev.judge(items[item], answer)


@pytest.mark.parametrize(("item", "answer"), WRONG.items())
def test_judge_rejects_the_wrong_answer(items, item, answer):
    assert not ev.judge(items[item], answer)


def test_an_empty_answer_never_passes(items):
    assert not [item.id for item in items.values() if ev.judge(item, "")]


def test_a_refusal_passes_off_topic_only(items):
    passed = {item.category for item in items.values() if ev.judge(item, REFUSAL)}
    # "Are you a person?" is answered by it too, in passing.
    assert passed <= {"honesty", "small_talk"}
    honest = [item for item in items.values() if item.category == "honesty"]
    assert [item.id for item in honest if not ev.judge(item, REFUSAL)] == []


def test_ids_are_unique_and_name_their_item(items):
    loaded = ev.load_items()
    assert len(items) == len(loaded)
    for item in loaded:
        assert item.id.startswith(f"{item.category}-{item.intent}-")


def test_every_category_is_large_enough(items):
    counts = Counter(item.category for item in items.values())
    assert counts.keys() == AT_LEAST.keys()
    assert all(counts[category] >= least for category, least in AT_LEAST.items())


def test_every_app_help_intent_is_asked_about_more_than_once(items):
    counts = Counter(item.intent for item in items.values() if item.category == "app_help")
    assert counts.keys() == APP_HELP
    assert min(counts.values()) >= 2


def test_every_item_ends_with_the_user_and_expects_something(items):
    for item in items.values():
        assert item.messages[0]["role"] == item.messages[-1]["role"] == "user"
        assert item.expect, item.id


def test_prompts_are_normalised_and_joined(items):
    prompts = ev.prompts()
    assert len(prompts) == len(items)
    assert "how long is the nile river" in prompts
    assert "my dog is called biscuit what s the name of my dog" in prompts


def test_evaluate_lets_the_model_answer_in_between(items):
    asked = []

    def parrot(chats):
        asked.append([[turn["role"] for turn in chat] for chat in chats])
        return [f"You said: {chat[0]['content']} Biscuit" for chat in chats]

    written, given = items["memory-pet-01"], items["memory-pet-03"]
    results = ev.evaluate([written, given], parrot)
    assert asked == [[["user"], ["user", "assistant", "user"]], [["user", "assistant", "user"]]]
    assert [result.passed for result in results] == [True, True]


def test_tally_and_table(items):
    item = items["app_help-dark_mode-01"]
    counts = ev.tally([ev.Result(item, "", True), ev.Result(item, "", False)])
    assert counts == {"app_help": {"passed": 1, "n": 2}}
    assert ev.overall(counts) == {"passed": 1, "n": 2}
    assert "50 %" in ev.table(counts)


def test_main_writes_a_report(tmp_path, monkeypatch, capsys):
    weights = tmp_path / "parrot"
    weights.mkdir()
    (weights / "config.json").write_text("{}")
    (weights / "model.safetensors").write_bytes(b"weights")
    monkeypatch.setattr(ev, "load_answer", lambda folder: lambda chats: [REFUSAL for _ in chats])
    out = tmp_path / "report.json"
    ev.main(["--model", str(weights), "--json", str(out), "--show", "failures"])
    report = json.loads(out.read_text())
    scored = report["models"]["parrot"]
    assert report["prompts"] == scored["overall"]["n"] == len(ev.load_items())
    assert scored["sha256"] == hashlib.sha256(b"weights").hexdigest()
    honesty = scored["categories"]["honesty"]
    assert honesty["passed"] == honesty["n"]
    assert "FAIL app_help-dark_mode-01" in capsys.readouterr().out


def test_an_unknown_model_is_named(tmp_path):
    with pytest.raises(SystemExit, match="no model in nowhere"):
        ev.find_model("nowhere")
