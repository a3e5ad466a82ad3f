"""Does an answer say which model wrote it?

Only where the writer introduces itself: "I am Qwen", "As an AI model made by IBM". An answer that
merely mentions a model or a company leaks nothing, be it about Google, llamas or falcons, and so
does one that quotes or that denies. Pure; of several languages, the ones that open models write
most.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

NAMES = (
    *("Qwen", "Qwen Chat", "Tongyi Qianwen", "Tongyi", "Alibaba Cloud", "Alibaba", "QwQ"),
    *(
        "通义千问",
        "通义",
        "千问",
        "阿里云",
        "阿里巴巴",
        "深度求索",
        "百度",
        "文心一言",
        "智谱",
        "月之暗面",
    ),
    *("字节跳动", "豆包", "SmolLM", "Hugging Face", "HuggingFace", "Llama", "Meta AI", "Meta"),
    *(
        "Mistral AI",
        "Mistral",
        "Mixtral",
        "Ministral",
        "Gemma",
        "Gemini",
        "Bard",
        "Google DeepMind",
    ),
    *("Google", "DeepMind", "GPT", "ChatGPT", "OpenAI", "Claude", "Anthropic", "DeepSeek", "OLMo"),
    *("Allen Institute for AI", "Allen Institute", "AI2", "Ai2", "Granite", "IBM", "LFM"),
    *("Liquid AI", "LiquidAI", "Falcon", "Technology Innovation Institute", "TII", "Phi"),
    *(
        "Microsoft",
        "Copilot",
        "Parley Guide",
        "Parley",
        "Yi",
        "01.AI",
        "InternLM",
        "GLM",
        "ChatGLM",
    ),
    *("Zhipu AI", "Zhipu", "Baichuan", "MiniCPM", "OpenBMB", "Kimi", "Moonshot AI", "Nemotron"),
    *("NVIDIA", "Command R", "Cohere", "Aya", "Vicuna", "LMSYS", "Alpaca", "Zephyr", "StableLM"),
    *("Stability AI", "Bloom", "BigScience", "EleutherAI", "Pythia", "TinyLlama", "EXAONE"),
    *(
        "LG AI Research",
        "Solar",
        "Upstage",
        "Grok",
        "xAI",
        "YandexGPT",
        "Yandex",
        "GigaChat",
        "Sber",
    ),
    *("Яндекс", "Сбер", "ГигаЧат", "Apertus", "EuroLLM", "Salamandra", "Teuken", "Swallow"),
)
"""Models, families and their makers."""

SHORTEST = 2
"""Characters of a name that is looked for: one alone would be found everywhere."""

MOST = 20_000
"""Characters of an answer that are looked through: who introduces itself does so early."""

# NAME stands for any of the names, GAP for a few more words of the same sentence, AI for what a
# model calls itself.
_GAP = r"[^.!?。！？\n]{0,70}?"
_MADE = r"(?:made|built|created|developed|trained|designed|released|provided|powered)"
_PATTERNS = (
    # English
    r"\b(?:i\s+am|i['’]m|my\s+name\s+is|my\s+name['’]s|(?:you\s+can\s+)?call\s+me|i\s+go\s+by)\s+"
    r"(?:(?:called|named|known\s+as|actually|the|an?)\s+){0,2}NAME"
    r"(?!['’]?s?\s+(?:fan|user|employee|engineer|developer|customer|shareholder|expert))",
    rf"\b(?:i\s+am|i['’]m|as)\s+an?\b{_GAP}\b(?:ai|model|assistant|chat\s?bot|bot|llm)\b{_GAP}"
    rf"\b(?:by|from|of|called|named|known\s+as)\s+(?:the\s+|a\s+team\s+at\s+)?NAME",
    rf"\bi\s+(?:was|am|have\s+been)\s+(?:\w+ly\s+)?{_MADE}\s+(?:and\s+{_MADE}\s+)?"
    rf"(?:by|at)\s+(?:the\s+)?{_GAP}NAME",
    r"\bas\s+(?:an?\s+)?NAME\s*,\s*i\b",
    # German
    r"\b(?:ich\s+(?:bin|hei(?:ß|ss)e)|mein\s+name\s+ist)\s+(?:(?:der|die|das|ein)\s+)?NAME"
    r"(?!-?\s*(?:fan|nutzer|mitarbeiter))",
    rf"\bich\s+(?:bin|wurde)\b{_GAP}\bvon\s+(?:der\s+)?{_GAP}NAME{_GAP}"
    r"(?:entwickelt|trainiert|erstellt|geschaffen)",
    rf"\b(?:ich\s+bin|als)\s+ein\w*\b{_GAP}(?:modell|assistent|ki|chatbot)\w*\b{_GAP}\bvon\s+NAME",
    # French
    r"\b(?:je\s+suis|je\s+m['’]appelle|mon\s+nom\s+est)\s+(?:(?:le|la|un|une)\s+)?NAME",
    rf"\b(?:je\s+suis|j['’]ai\s+été|en\s+tant\s+qu)\b{_GAP}"
    rf"(?:développée?|créée?|entraînée?|conçue?)\s+par\s+{_GAP}NAME",
    # Spanish and Portuguese
    r"\b(?:soy|me\s+llamo|mi\s+nombre\s+es|eu\s+sou|sou|me\s+chamo|meu\s+nome\s+é)\s+"
    r"(?:(?:el|la|o|a|un|um|una|uma)\s+)?NAME",
    rf"\b(?:soy|fui|he\s+sido|sou|como)\b{_GAP}"
    rf"(?:desarrollad|cread|entrenad|desenvolvid|criad|treinad)[oa]\s+(?:por|pela|pelo)\s+{_GAP}NAME",
    # Italian
    r"\b(?:sono|mi\s+chiamo|il\s+mio\s+nome\s+è)\s+(?:(?:il|la|un)\s+)?NAME",
    rf"\b(?:sono|come)\b{_GAP}(?:sviluppat|creat|addestrat)[oa]\s+da\w*\s+{_GAP}NAME",
    # Russian
    r"\b(?:я\s*[—–-]?|меня\s+зовут|мо[её]\s+имя\s*[—–-]?)\s*NAME",
    rf"\b(?:я|как)\b{_GAP}(?:модель|ассистент|помощник|бот|ии|нейросеть)\w*\b{_GAP}"
    rf"(?:от|создан\w*|разработан\w*|обучен\w*)\s+{_GAP}NAME",
    rf"\bменя\s+(?:создал|разработал|обучил)\w*\s+{_GAP}NAME",
    # Chinese
    r"我(?:是|叫|的名字(?:是|叫))\s*NAME(?!的?(?:粉丝|用户|员工|工程师))",
    rf"我(?:是)?{_GAP}由\s*NAME{_GAP}(?:开发|研发|训练|创建|打造|推出|構建|開發|訓練)",
    # Japanese
    r"(?:私|わたし|僕|ぼく)(?:は|の名前は)[、\s]*NAME[^。！？\n]{0,12}?"
    r"(?:です|と申します|といいます|と言います)",
    rf"(?:私|わたし|僕|ぼく)は{_GAP}NAME(?:社)?(?:によって|が|に|で){_GAP}"
    r"(?:開発|作成|訓練|作られ|トレーニング)",
    # Korean
    r"(?:저는|나는|제\s*이름은)\s*NAME\S{0,6}?(?:입니다|이에요|예요|라고|이라고|라는)",
    rf"(?:저는|나는){_GAP}NAME(?:에서|이|가|에\s*의해){_GAP}(?:개발|만든|만들|훈련)",
    # Arabic
    r"(?:أنا|اسمي)\s+NAME",
)

_QUOTED = re.compile(
    r"^(```|~~~).*?(?:^\1\s*$|\Z)|^\s*>.*$|`[^`\n]*`|“[^”\n]*”|«[^»\n]*»|「[^」\n]*」|\"[^\"\n]*\"",
    re.M | re.S,
)


def leak(answer: str, names: Iterable[str] = ()) -> str | None:
    """The words with which an answer introduces its writer by one of ``names`` or ``NAMES``; None
    where it does not."""
    spoken = _QUOTED.sub(" ", answer[:MOST])
    for pattern in _patterns(tuple(sorted({name.strip() for name in names}))):
        if found := pattern.search(spoken):
            return found[0].strip()
    return None


@lru_cache(maxsize=4)
def _patterns(names: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    every = {name for name in (*NAMES, *names) if len(name) >= SHORTEST}
    written = sorted((re.escape(name).replace(r"\ ", r"[\s-]*") for name in every), key=len)
    one = f"(?:{'|'.join(reversed(written))})"
    # Not as part of a longer word; digits and a size may follow: Qwen2.5, Llama-3.
    name = rf"[*_]{{0,2}}(?<![A-Za-zЀ-ӿ]){one}(?![A-Za-zЀ-ӿ])[*_]{{0,2}}"
    return tuple(re.compile(pattern.replace("NAME", name), re.IGNORECASE) for pattern in _PATTERNS)
