"""Answers that say who wrote them, and answers that only speak of models, companies and llamas."""

from __future__ import annotations

import pytest

from parley.arena.leaks import leak

INTRODUCTIONS = [
    "I am Qwen, created by Alibaba Cloud. How can I help?",
    "I'm SmolLM2, and I am happy to help.",
    "Hello! My name is **OLMo 2**.",
    "As an AI language model developed by Meta, I cannot have opinions.",
    "I am a large language model, trained by Google.",
    "I was created by the Allen Institute for AI.",
    "I am an assistant from IBM, called Granite.",
    "I have been trained by a team at Liquid AI.",
    "You can call me Falcon.",
    "As ChatGPT, I do not eat.",
    "I’m Qwen2.5-0.5B.",
    "I am Parley Guide, a small model.",
    "I am called DeepSeek.",
    "Ich bin Mistral, wie kann ich helfen?",
    "Ich wurde von der Firma OpenAI entwickelt.",
    "Als ein Sprachmodell von Google kann ich das nicht.",
    "Je suis Claude, un assistant.",
    "Je suis un modèle de langue développé par Mistral AI.",
    "Soy Llama, un modelo.",
    "Soy un modelo de lenguaje desarrollado por OpenAI.",
    "Eu sou o ChatGPT.",
    "Sono un modello sviluppato da Google.",
    "Я — YandexGPT, нейросеть.",
    "Меня зовут Qwen.",
    "Я — большая языковая модель, созданная компанией Alibaba.",
    "我是通义千问，由阿里云开发的语言模型。",
    "我是由DeepSeek公司开发的人工智能助手。",
    "我叫Qwen。",
    "私はQwenです。よろしくお願いします。",
    "私はAlibaba Cloudによって開発された言語モデルです。",
    "저는 Qwen입니다.",
    "저는 LG AI Research에서 개발한 EXAONE입니다.",
    "أنا ChatGPT",
]

MENTIONS = [
    "Google was founded in 1998 by Larry Page and Sergey Brin.",
    "Llamas live in the Andes. A llama is an animal.",
    "The falcon is the fastest bird; granite is a rock.",
    "I am a fan of OpenAI's early papers.",
    "I am an engineer at a firm that uses Google Cloud.",
    "I'm not ChatGPT.",
    "As an AI model, I cannot browse the web.",
    "I am an AI assistant. How can I help?",
    "Qwen is a family of models made by Alibaba Cloud.",
    'You could write: "I am Claude, your assistant."',
    "```python\nprint('I am Qwen')\n```",
    "> I am Gemini\n\nis what it said.",
    "I would compare Qwen with Llama and Mistral.",
    "My name is Anna.",
    "I am IBMish about that.",
    "Ich bin kein Fan von Google.",
    "Je suis désolé, Google n'est pas disponible.",
    "Я люблю Яндекс.",
    "谷歌是一家公司，千问是一个模型。",
    "我是Qwen的粉丝。",
    "私はGoogleをよく使います。",
    "저는 Google을 자주 사용합니다.",
    "",
]


@pytest.mark.parametrize("answer", INTRODUCTIONS)
def test_an_introduction_is_a_leak(answer):
    assert leak(answer)
    assert leak("Certainly.\n\n" + answer)


@pytest.mark.parametrize("answer", MENTIONS)
def test_a_mention_is_none(answer):
    assert leak(answer) is None


def test_the_names_of_the_models_here_are_known_too():
    assert leak("I am Babbler, hello.") is None
    assert leak("I am Babbler, hello.", ["Babbler"]) == "I am Babbler"
    assert leak("Babbler is a model.", ["Babbler"]) is None


def test_names_are_no_patterns():
    assert leak("I am abc.", ["a.c", "(", "x+"]) is None
    assert leak("I am a.c.", ["a.c"]) == "I am a.c"


def test_a_long_answer_is_looked_through_at_once():
    # A pattern that backtracks over a whole text would hang here.
    assert leak("I am an AI " * 20_000) is None
    assert leak("私は" * 40_000) is None
