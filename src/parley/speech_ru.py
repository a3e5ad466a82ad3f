"""What the server says in Russian: English templates and their translations; see speech.py.

One table, and so longer than 300 lines. ``tests/test_speech.py`` finds every sentence in the
sources and demands its entry here.
"""

from __future__ import annotations

from collections.abc import Mapping

SAID: Mapping[str, str] = {
    # Figures
    "{n:#}": "{n}",
    "none": "нет",
    "{n:#} s": "{n} с",
    "{n:#} min": "{n} мин",
    "{h:#} h": "{h} ч",
    "{h:#} h {m:#} min": "{h} ч {m} мин",
    "{n:#} days": "{n} {n:день|дня|дней}",
    "{n:#} tok/s": "{n} ток/с",
    "{n:#} B": "{n} Б",
    "{n:#} kB": "{n} кБ",
    "{n:#} MB": "{n} МБ",
    "{n:#} GB": "{n} ГБ",
    "{n:#} TB": "{n} ТБ",
    "{part:#} of {n:#} B": "{part} из {n} Б",
    "{part:#} of {n:#} kB": "{part} из {n} кБ",
    "{part:#} of {n:#} MB": "{part} из {n} МБ",
    "{part:#} of {n:#} GB": "{part} из {n} ГБ",
    "{part:#} of {n:#} TB": "{part} из {n} ТБ",
    "{size:said}/s": "{size}/с",
    # An answer on its way
    "Getting ready": "Подготовка",
    "Reading the prompt": "Чтение промпта",
    "Thinking": "Размышление",
    "Thoughts": "Ход мыслей",
    "Thought for {time:said}": "Размышление заняло {time}",
    "Starting the engine": "Запуск движка",
    "Downloading": "Скачивание",
    "Downloading {size:said}": "Скачано {size}",
    "Loading the weights": "Загрузка весов",
    "Loading {n:#} %": "Загрузка: {n} %",
    "Warming up": "Прогрев",
    "{time:said} left": "осталось {time}",
    "{time:said} so far": "прошло {time}",
    "Waiting for memory": "Ожидание памяти",
    "Waiting for running answers to end": "Ожидание конца других ответов",
    "{why:said}, place {n:#} in the queue": "{why}, место в очереди: {n}",
    # Its line of figures
    "{n:#} token": "{n} {n:токен|токена|токенов}",
    "{n:#} tokens": "{n} {n:токен|токена|токенов}",
    "first token {time:said}": "первый токен через {time}",
    "{n:#} of {all:#} prompt tokens from cache": "из кэша {n} из {all} токенов промпта",
    "loaded in {time:said}": "загрузка {time}",
    "stopped": "остановлено",
    "cut at the token limit": "обрезано по лимиту токенов",
    "interrupted": "прервано",
    "A model": "Модель",
    # A model's card
    "{size} parameters": "{size} параметров",
    "Size": "Размер",
    "{size} context": "контекст {size}",
    "Tokens: window {n:#}": "Токены: окно {n}",
    "Tokens: at most {n:#}": "Токены: не больше {n}",
    "Tokens: trained on {trained:#}; window {n:#}": "Токены: обучена на {trained}; окно {n}",
    "Tokens: trained on {trained:#}; at most {n:#}": (
        "Токены: обучена на {trained}; не больше {n}"
    ),
    "Licence": "Лицензия",
    "{n:#} of 5 open": "открыто {n} из 5",
    "{item:said}: {state:said}": "{item}: {state}",
    "weights": "веса",
    "training data": "данные обучения",
    "evaluation code": "код оценки",
    "fine tuning code": "код дообучения",
    "training metrics": "метрики обучения",
    "open": "открыто",
    "partial": "частично",
    "closed": "закрыто",
    "unknown": "неизвестно",
    "Languages: {names}": "Языки: {names}",
    "Domain": "Область",
    "Released": "Выпущена",
    "Developer": "Разработчик",
    "by {who}": "от {who}",
    "based on {model}": "на основе {model}",
    "From {place}": "Из {place}",
    "On this machine": "На этом компьютере",
    # A model's state, the machine
    "Queued": "В очереди",
    "Queued, place {n:#}": "В очереди, место {n}",
    "Answering {n:#}": "Отвечает: {n}",
    "{n:#} waiting": "ждут: {n}",
    "In memory": "В памяти",
    "In memory, {idle:said}": "В памяти, {idle}",
    "idle for {time:said}": "без дела {time}",
    "Unloads when {what:said}": "Будет выгружена, когда {what}",
    "its answer ends": "закончится ответ",
    "its {n:#} answers end": "закончатся ответы: {n}",
    "Unloading": "Выгружается",
    "Could not be loaded": "Не удалось загрузить",
    "On disk": "На диске",
    "Not downloaded": "Не скачана",
    "{size:said} to download": "скачать {size}",
    "Fits": "Помещается",
    "Fits after unloading {names:list}": "Поместится, если выгрузить: {names}",
    "Waits for {names:list}": "Ждёт, пока освободится место: {names}",
    "Waits for memory": "Ждёт памяти",
    "Pinned in its way: {names:list}": "Место занято закреплёнными: {names}",
    "Too large for this machine": "Слишком велика для этого компьютера",
    "Too large: needs {need:said}, this machine has {has:said}": (
        "Слишком велика: нужно {need}, на этом компьютере {has}"
    ),
    "more than {size:said}": "больше {size}",
    "Gated": "С доступом по запросу",
    "Gated, token set": "С доступом по запросу, токен задан",
    "Gated: set HF_TOKEN": "С доступом по запросу: задайте HF_TOKEN",
    "Gated: access not granted": "С доступом по запросу: доступ не предоставлен",
    "{size:said} free": "свободно {size}",
    "Memory": "Память",
    "GPU {n:#}": "GPU {n}",
    "stays in memory": "остаётся в памяти",
    "leaves after {time:said}": "выгрузится через {time} без дела",
    "leaves in {time:said}": "выгрузится через {time}",
    # Notes about a prompt
    "This model has no chat template; the conversation was given to it as a plain transcript.": (
        "У этой модели нет шаблона чата; разговор передан ей простой записью."
    ),
    "This model's template has no system role; the system prompt was put before the first "
    "message.": (
        "В шаблоне этой модели нет системной роли; системный промпт поставлен перед первым "
        "сообщением."
    ),
    "{what:said} left out: together with the rest they do not fit this model's context window of "
    "{window:#} tokens.": (
        "{what}: вместе с остальными они не помещаются в окно контекста этой модели "
        "({window} {window:токен|токена|токенов})."
    ),
    "The oldest message was": "Самое старое сообщение опущено",
    "The {n:#} oldest messages were": "Опущено самых старых сообщений: {n}",
    # Asking
    "The message is empty.": "Сообщение пустое.",
    "Write something first.": "Сначала напишите что-нибудь.",
    "There is no message to answer.": "Нет сообщения, на которое можно ответить.",
    "No model is configured under the id {id}.": "Модели с id {id} в каталоге нет.",
    "Choose one of: {known}.": "Выберите одно из: {known}.",
    "This page has lost its identity.": "Эта страница забыла, чья она.",
    "Reload the page.": "Обновите страницу.",
    "Reload the page, then ask again.": "Обновите страницу и спросите снова.",
    "Reload the page, then send it again.": "Обновите страницу и отправьте снова.",
    "The answer to retry is gone.": "Ответа, который нужно повторить, больше нет.",
    "The message to edit is gone.": "Сообщения, которое нужно изменить, больше нет.",
    "{name} wrote this answer, and only it can go on with it.": (
        "Этот ответ написала {name}, и продолжить его может только она."
    ),
    "Retry it with the other model instead.": "Вместо этого повторите его с другой моделью.",
    "This answer was not cut off by its length, so there is nothing to continue.": (
        "Этот ответ не обрезан по длине, продолжать нечего."
    ),
    "Ask for more in a new message, or for another answer with Retry.": (
        "Попросите продолжить в новом сообщении или получите другой ответ кнопкой «Повторить»."
    ),
    "This answer has ended.": "Этот ответ уже закончен.",
    "This answer has no text.": "В этом ответе нет текста.",
    "Retry it first.": "Сначала повторите его.",
    "That answer is gone.": "Этого ответа больше нет.",
    "That message is gone.": "Этого сообщения больше нет.",
    "Open the conversation again.": "Откройте разговор снова.",
    "Search again.": "Повторите поиск.",
    "Something unexpected went wrong (error {number}).": (
        "Произошло что-то непредвиденное (ошибка {number})."
    ),
    "Try again; the log of Parley says more under that number.": (
        "Попробуйте снова; подробности — в журнале Parley под этим номером."
    ),
    "Try again.": "Попробуйте снова.",
    # Settings
    "There is no setting {name}.": "Настройки {name} нет.",
    "Known are: {known}.": "Известны: {known}.",
    "An answer cannot follow a JSON schema and a regex at the same time.": (
        "Ответ не может следовать и схеме JSON, и регулярному выражению."
    ),
    "Leave one of them out.": "Оставьте что-нибудь одно.",
    "Stop strings must be text.": "Стоп-строки должны быть текстом.",
    "Give one per line.": "Пишите по одной на строку.",
    "logit_bias must pair token ids with numbers.": ("logit_bias — это пары из id токена и числа."),
    "Write it like {1234: -5}.": "Запишите так: {1234: -5}.",
    "logit_bias names {token}, which is no token id.": (
        "В logit_bias указано {token}, а это не id токена."
    ),
    "Use 0 or more.": "Укажите 0 или больше.",
    "logit_bias cannot be {bias} for token {token}.": (
        "logit_bias не может быть {bias} для токена {token}."
    ),
    "Use a number from {low} to {high}.": "Укажите число от {low} до {high}.",
    "Use a {kind:said} from {low} to {high}.": "Укажите {kind} от {low} до {high}.",
    "number": "число",
    "whole number": "целое число",
    "logit_bias has {n:#} entries.": "В logit_bias пар: {n}.",
    "Use at most {n:#}.": "Укажите не больше {n}.",
    "{name} must be text.": "{name}: нужен текст.",
    "Write it between quotes.": "Запишите в кавычках.",
    "{name} is {n:#} characters long.": "{name}: длина {n} {n:знак|знака|знаков}.",
    "Use at most {n:#} characters.": "Не больше {n} {n:знака|знаков|знаков}.",
    "{name} cannot be {value}.": "{name} не может быть {value}.",
    "logit_bias names token {token:#}, and {name} has {n:#} tokens.": (
        "В logit_bias указан токен {token}, а у модели {name} всего {n} {n:токен|токена|токенов}."
    ),
    "Use ids from 0 to {last:#}.": "Укажите id от 0 до {last}.",
    "This regex cannot be followed: {why:said}.": (
        "Этому регулярному выражению следовать нельзя: {why}."
    ),
    "Write it without lookaround, word boundaries and backreferences; the whole answer has to "
    "match, so ^ and $ are not needed.": (
        "Запишите его без просмотра вперёд и назад, границ слов и обратных ссылок; "
        "соответствовать должен весь ответ, так что ^ и $ не нужны."
    ),
    "This JSON schema cannot be followed: {why:said}.": (
        "Этой схеме JSON следовать нельзя: {why}."
    ),
    "Take that part out, or say it in another way.": ("Уберите эту часть или выразите её иначе."),
    "no text fits it": "ей не соответствует ни один текст",
    "it is too complicated": "слишком сложно",
    "it is not valid": "запись неверна",
    "{keys} cannot be enforced": "{keys}: соблюсти это нельзя",
    "The JSON schema is not JSON: line {line}, column {column}: {why}.": (
        "Схема JSON — не JSON: строка {line}, столбец {column}: {why}."
    ),
    "The JSON schema is not JSON: {why}.": "Схема JSON — не JSON: {why}.",
    'Write an object such as {"type": "object"}.': 'Напишите объект, например {"type": "object"}.',
    'Write one such as {"type": "object"}.': 'Напишите его, например {"type": "object"}.',
    "Use numbers that JSON has.": "Используйте числа, которые есть в JSON.",
    "The JSON schema is nested too deeply.": "Схема JSON вложена слишком глубоко.",
    "The JSON schema is not an object.": "Схема JSON — не объект.",
    "Make it simpler.": "Упростите её.",
    "Make it simpler, or ask for free text.": "Упростите или выберите свободный текст.",
    "{name} could not be held to the JSON schema or regex any longer; it is too complicated.": (
        "Удерживать {name} в рамках схемы JSON или регулярного выражения больше не удалось: "
        "слишком сложно."
    ),
    "{name} cannot be held to a JSON schema or regex: {why:said}.": (
        "{name} нельзя удержать в рамках схемы JSON или регулярного выражения: {why}."
    ),
    "it has no token that ends an answer": "нет токена, который завершает ответ",
    "its tokenizer is of a kind unknown here ({kind})": "неизвестный вид токенизатора ({kind})",
    "Ask for free text, or pick another model.": ("Выберите свободный текст или другую модель."),
    "What this answer begins with does not fit the {form:said}.": (
        "Начало этого ответа не подходит под {form}."
    ),
    "JSON schema": "схему JSON",
    "regex": "регулярное выражение",
    "Ask for free text, or have the answer written anew.": (
        "Выберите свободный текст или получите ответ заново."
    ),
    # Answering
    "There is no text to read.": "Нет текста, который можно прочесть.",
    "This text is a single token: nothing comes before it by which to judge it.": (
        "Этот текст — один токен: перед ним нет ничего, по чему его оценить."
    ),
    "Write more, or ask a question before it.": "Напишите больше или задайте перед ним вопрос.",
    "These token ids are not all {name}'s, which has {n:#} tokens.": (
        "Не все эти id токенов есть у модели {name}: у неё {n} {n:токен|токена|токенов}."
    ),
    "Give the text instead, or ask the model that wrote them.": (
        "Дайте вместо них текст или спросите модель, которая их написала."
    ),
    "The tokenizer of {name} knows tokens that its model does not.": (
        "Токенизатор {name} знает токены, которых нет у самой модели."
    ),
    "The checkpoint's files do not belong together; download it again or pick another.": (
        "Файлы чекпойнта не подходят друг к другу; скачайте его снова или выберите другой."
    ),
    "This conversation is {n:#} tokens long; {name} can read {window:#}.": (
        "В этом разговоре {n} {n:токен|токена|токенов}; {name} может прочесть {window}."
    ),
    "Start a new chat, shorten the message, or pick a model with a larger window.": (
        "Начните новый чат, сократите сообщение или выберите модель с большим окном."
    ),
    "{name} ran out of memory while answering.": "{name}: во время ответа кончилась память.",
    "Start a new chat or shorten the conversation, then press Retry.": (
        "Начните новый чат или сократите разговор и нажмите «Повторить»."
    ),
    "{name} failed while answering ({error}).": "{name}: ошибка во время ответа ({error}).",
    "Press Retry; if it happens again, the log has the details.": (
        "Нажмите «Повторить»; если повторится, подробности — в журнале."
    ),
    "{name} computed no usable scores for its next word.": (
        "{name} не смогла оценить следующее слово."
    ),
    "Press Retry. If it happens again, give the model another dtype, or pick another one.": (
        "Нажмите «Повторить». Если повторится, задайте модели другой dtype или выберите другую."
    ),
    "The process that runs {name} ended unexpectedly; it may have run out of memory.": (
        "Процесс модели {name} неожиданно завершился; возможно, ему не хватило памяти."
    ),
    "Press Retry to start it again.": "Нажмите «Повторить», чтобы запустить её снова.",
    "{name} was taken out of memory before this answer was complete.": (
        "{name} выгружена из памяти раньше, чем ответ был закончен."
    ),
    "Press Retry to load it again.": "Нажмите «Повторить», чтобы загрузить её снова.",
    "{name} has not moved for {n:#} s and was ended.": (
        "{name} не подавала признаков жизни {n} с и была остановлена."
    ),
    "The chat template of {name} tried to reach outside its sandbox and was stopped.": (
        "Шаблон чата модели {name} попытался выйти из песочницы и был остановлен."
    ),
    "The chat template of {name} uses something it was not given ({error}).": (
        "Шаблон чата модели {name} использует то, чего ему не дали ({error})."
    ),
    "The chat template of {name} has a mistake in line {line} ({error}).": (
        "В шаблоне чата модели {name} ошибка в строке {line} ({error})."
    ),
    "The chat template of {name} refuses this conversation: {error}": (
        "Шаблон чата модели {name} не принимает этот разговор: {error}"
    ),
    "The chat template of {name} could not be used ({kind}: {error}).": (
        "Шаблон чата модели {name} использовать не удалось ({kind}: {error})."
    ),
    "Pick another model, or set prompt_format: transcript for this one in models.yaml.": (
        "Выберите другую модель или задайте этой prompt_format: transcript в models.yaml."
    ),
    "Start a new chat, or pick another model.": "Начните новый чат или выберите другую модель.",
    # Loading
    "Loading {name} was stopped.": "Загрузка {name} остановлена.",
    "Send a message or press Load now to start again.": (
        "Отправьте сообщение или нажмите «Загрузить сейчас», чтобы начать снова."
    ),
    "The process that was loading {name} ended unexpectedly; the machine may have run out of "
    "memory.": ("Процесс, загружавший {name}, неожиданно завершился; возможно, кончилась память."),
    "Press Retry, or pick a smaller model.": "Нажмите «Повторить» или выберите модель поменьше.",
    "{name} offers its weights only in a format that can run code when it is opened (.bin), so it "
    "was not loaded.": (
        "Веса {name} есть только в формате, который при открытии может выполнить код (.bin), "
        "поэтому она не загружена."
    ),
    "Save it again with save_pretrained, which writes safetensors, or pick another model.": (
        "Сохраните её заново через save_pretrained, который пишет safetensors, или выберите "
        "другую модель."
    ),
    "Convert it at https://huggingface.co/spaces/safetensors/convert first, or pick a model that "
    "has safetensors.": (
        "Сначала преобразуйте её на https://huggingface.co/spaces/safetensors/convert или "
        "выберите модель с safetensors."
    ),
    "There are no weights for {name} at {place}.": "Весов {name} нет в {place}.",
    "Check repo or path in models.yaml.": "Проверьте repo или path в models.yaml.",
    "{name} was not found: {what:said}.": "{name} не найдена: {what}.",
    "there is no folder {folder}": "папки {folder} нет",
    "there is no config.json in {place}": "в {place} нет config.json",
    "there is no tokenizer in {place}": "в {place} нет токенизатора",
    "there is no {file} in {place}": "в {place} нет {file}",
    "{name} can only be loaded by running code from its repository, which Parley never does.": (
        "Чтобы загрузить {name}, нужно выполнить код из её репозитория, а этого Parley не делает."
    ),
    "Pick another model, or serve this one with an engine of its own.": (
        "Выберите другую модель или запустите эту на отдельном движке."
    ),
    "{name} is a {kind:said} model, which the installed transformers library cannot run as a chat "
    "model.": (
        "Архитектура {name}: {kind}. Установленная библиотека transformers не может запустить её "
        "как модель для чата."
    ),
    "new or unknown": "новая или неизвестная",
    "Update transformers, or pick another model.": (
        "Обновите transformers или выберите другую модель."
    ),
    "The files of {name} are damaged: {what:said}.": "Файлы {name} повреждены: {what}.",
    "{file} is missing": "нет файла {file}",
    "{file} does not hold a configuration": "в {file} нет конфигурации",
    "its tokenizer cannot be read": "токенизатор не читается",
    "a weights file is incomplete or not a safetensors file": (
        "файл весов неполон или это не safetensors"
    ),
    "a configuration file is not readable": "файл конфигурации не читается",
    "{n:#} tensors are missing or of another shape ({name})": (
        "тензоров, которых нет или которые другой формы: {n} ({name})"
    ),
    "Restore the files in its folder, then press Retry.": (
        "Восстановите файлы в её папке и нажмите «Повторить»."
    ),
    "Delete it from the cache (hf cache rm model/{repo}), so that it is downloaded afresh, and "
    "press Retry.": (
        "Удалите её из кэша (hf cache rm model/{repo}), чтобы скачать заново, и нажмите "
        "«Повторить»."
    ),
    "{file} of {name} did not arrive as the Hub describes it, so it was thrown away.": (
        "Файл {file} модели {name} пришёл не таким, как описан на Hub, и был отброшен."
    ),
    "Press Retry; if it happens again, something between here and https://huggingface.co/{repo} "
    "changes what is downloaded.": (
        "Нажмите «Повторить»; если повторится, что-то на пути к https://huggingface.co/{repo} "
        "меняет скачанное."
    ),
    "The disk is full, so {name} could not be downloaded.": (
        "Диск заполнен, скачать {name} не удалось."
    ),
    "{name} needs {need:said} more on the disk, and {free:said} can be used: a little is kept for "
    "everything else.": (
        "Для {name} нужно ещё {need} на диске, а занять можно {free}: немного остаётся для всего "
        "прочего."
    ),
    "Free some space (see https://huggingface.co/docs/huggingface_hub/guides/manage-cache for "
    "models that can go), or start Parley with HF_HOME set to a folder on a larger disk.": (
        "Освободите место (какие модели можно удалить, сказано на "
        "https://huggingface.co/docs/huggingface_hub/guides/manage-cache ) или запустите Parley "
        "с HF_HOME — папкой на диске побольше."
    ),
    "The files of {name} may not be read or written where they belong.": (
        "Файлы {name} нельзя прочесть или записать там, где им место."
    ),
    "The files of {name} may not be read or written where they belong ({path}).": (
        "Файлы {name} нельзя прочесть или записать там, где им место ({path})."
    ),
    "Give the user that runs Parley the right to read them.": (
        "Дайте пользователю, от имени которого работает Parley, право их читать."
    ),
    "Give the user that runs Parley the right to, or start Parley with HF_HOME set to a folder of "
    "its own.": (
        "Дайте это право пользователю, от имени которого работает Parley, или запустите Parley "
        "с HF_HOME — отдельной папкой."
    ),
    "{name} needs {package:said}, which is not installed.": "{name} требует {package}.",
    "a package": "пакет, которого здесь нет",
    "sentencepiece or tiktoken": "sentencepiece или tiktoken",
    "Install it where Parley runs, or pick another model.": (
        "Установите недостающее там, где работает Parley, или выберите другую модель."
    ),
    "{name} does not fit into the memory that is free.": (
        "{name} не помещается в свободную память."
    ),
    "Unload another model, or pick a smaller one.": (
        "Выгрузите другую модель или выберите поменьше."
    ),
    "{name} could not be loaded ({kind}: {error}).": (
        "{name}: загрузить не удалось ({kind}: {error})."
    ),
    # The Hub
    "The Hub has closed {repo} for everybody.": "Hub закрыл {repo} для всех.",
    "Read https://huggingface.co/{repo} for the reason, or pick another model.": (
        "Причина указана на https://huggingface.co/{repo} ; можно выбрать другую модель."
    ),
    "A file of {name} is listed at the Hub but not there.": (
        "Файл модели {name} есть в списке на Hub, но самого файла там нет."
    ),
    "See https://huggingface.co/{repo} for what it offers, then press Retry.": (
        "Посмотрите на https://huggingface.co/{repo} , что там есть, и нажмите «Повторить»."
    ),
    "{place} does not answer as the Hub does, so {name} could not be downloaded.": (
        "{place} отвечает не так, как Hub; скачать {name} не удалось."
    ),
    "Check HF_ENDPOINT and the proxy, then press Retry.": (
        "Проверьте HF_ENDPOINT и прокси и нажмите «Повторить»."
    ),
    "{name} is gated: its authors want to know who downloads it.": (
        "Доступ к {name} по запросу: авторы хотят знать, кто её скачивает."
    ),
    "Accept the conditions at {page} and start Parley with HF_TOKEN set to a token of that "
    "account, from https://huggingface.co/settings/tokens on the Hub.": (
        "Примите условия на {page} и запустите Parley с HF_TOKEN — токеном той же учётной записи "
        "с https://huggingface.co/settings/tokens на Hub."
    ),
    "The request for access to {name} still waits for its authors.": (
        "Запрос на доступ к {name} ещё ждёт решения авторов."
    ),
    "See https://huggingface.co/settings/gated-repos for how it stands, and press Retry once it "
    "is granted.": (
        "Следите за ним на https://huggingface.co/settings/gated-repos и нажмите «Повторить», "
        "когда доступ дадут."
    ),
    "The account of your Hugging Face token has no access to {name} yet.": (
        "У учётной записи вашего токена Hugging Face ещё нет доступа к {name}."
    ),
    "Accept the conditions at {page} with that account, then press Retry.": (
        "Примите условия на {page} с этой учётной записью и нажмите «Повторить»."
    ),
    "{name} was not found: there is no model {repo} on the Hub, or it is private.": (
        "{name} не найдена: модели {repo} на Hub нет, или она закрытая."
    ),
    "Look for it at {search} and correct repo in models.yaml, or set HF_TOKEN to a token that may "
    "read it.": (
        "Найдите её на {search} и исправьте repo в models.yaml или задайте HF_TOKEN — токен с "
        "правом её читать."
    ),
    "{name} was not found: {repo} has no revision {revision}.": (
        "{name} не найдена: в {repo} нет ревизии {revision}."
    ),
    "Choose one from https://huggingface.co/{repo}/commits/main and correct revision in "
    "models.yaml.": (
        "Выберите её на https://huggingface.co/{repo}/commits/main и исправьте revision в "
        "models.yaml."
    ),
    "{name} is not completely on this machine and the Hub cannot be reached.": (
        "{name} на этом компьютере не полностью, а Hub недоступен."
    ),
    "Check that {place} can be opened from here and press Retry, or pick a model that is already "
    "on this machine.": (
        "Проверьте, что {place} открывается отсюда, и нажмите «Повторить» или выберите модель, "
        "которая уже на этом компьютере."
    ),
    "{name} is not completely on this machine, and HF_HUB_OFFLINE forbids fetching it.": (
        "{name} на этом компьютере не полностью, а HF_HUB_OFFLINE запрещает её скачать."
    ),
    "Start Parley without HF_HUB_OFFLINE, so that it can be downloaded from "
    "https://huggingface.co/{repo} once, or pick a model that is already here.": (
        "Запустите Parley без HF_HUB_OFFLINE, чтобы один раз скачать её с "
        "https://huggingface.co/{repo} , или выберите модель, которая уже здесь."
    ),
    "The Hub does not know the Hugging Face token that is set here.": (
        "Hub не знает заданный здесь токен Hugging Face."
    ),
    "Make a new one at https://huggingface.co/settings/tokens and start Parley with HF_TOKEN set "
    "to it; without any token, models that are not gated can be had.": (
        "Создайте новый на https://huggingface.co/settings/tokens и запустите Parley с ним в "
        "HF_TOKEN; без токена доступны модели, для которых не нужен запрос."
    ),
    "Your Hugging Face token is not allowed to read {repo}.": (
        "Ваш токен Hugging Face не даёт права читать {repo}."
    ),
    "Give it access to gated models at https://huggingface.co/settings/tokens and press Retry.": (
        "Дайте ему доступ к моделям по запросу на https://huggingface.co/settings/tokens и "
        "нажмите «Повторить»."
    ),
    "The Hub has had too many requests from here, so {name} has to wait.": (
        "Отсюда к Hub было слишком много запросов, {name} придётся подождать."
    ),
    "Press Retry {when:said}.{more:said}": "Нажмите «Повторить» {when}.{more}",
    "in a few minutes": "через несколько минут",
    "in {time:said}": "через {time}",
    " With HF_TOKEN set to a token from https://huggingface.co/settings/tokens more requests are "
    "allowed.": (
        " С токеном с https://huggingface.co/settings/tokens в HF_TOKEN запросов можно больше."
    ),
    "The Hub could not deliver {repo} (HTTP {status}).": (
        "Hub не смог отдать {repo} (HTTP {status})."
    ),
    "Press Retry in a while; https://status.huggingface.co shows whether it is at work.": (
        "Нажмите «Повторить» немного позже; работает ли он, видно на "
        "https://status.huggingface.co ."
    ),
    # The pool
    "{name} needs about {need:said} of memory, and pinned models hold it: {names}.": (
        "{name} требует около {need} памяти, а её занимают закреплённые модели: {names}."
    ),
    "Unpin one of them under Machine, or choose a smaller model.": (
        "Открепите одну из них в окне «Компьютер» или выберите модель поменьше."
    ),
    "{name} needs about {need:said} of memory; {has:said} can be used here.": (
        "{name} требует около {need} памяти; здесь можно занять {has}."
    ),
    "Choose a smaller model, or set dtype: bfloat16 in its entry.": (
        "Выберите модель поменьше или задайте ей dtype: bfloat16 в каталоге."
    ),
    "Too many requests are waiting: this would be number {n:#}.": (
        "Ждёт слишком много запросов: этот был бы по счёту {n}."
    ),
    "Try again in a while, or choose a model that is in memory.": (
        "Попробуйте немного позже или выберите модель, которая в памяти."
    ),
    "{name} did not get its turn within {n:#} s: the models in memory are in use.": (
        "Очередь {name} не подошла за {n} с: модели в памяти заняты."
    ),
    "Press Retry to wait again, or choose a model that is in memory.": (
        "Нажмите «Повторить», чтобы ждать снова, или выберите модель, которая в памяти."
    ),
    "Parley is shutting down.": "Parley завершает работу.",
    "Start it again and retry.": "Запустите его снова и повторите.",
    "Loading {name} made no progress for {n:#} s and was stopped.": (
        "Загрузка {name} не двигалась {n} с и была остановлена."
    ),
    "Press Retry: a download goes on where it was. If it happens again, look at the disk and the "
    "network.": (
        "Нажмите «Повторить»: скачивание продолжится с того же места. Если повторится, проверьте "
        "диск и сеть."
    ),
    "{fix:said} After a failure it is left alone, for another {n:#} s; Retry tries at once.": (
        "{fix} После неудачи её не трогают, ещё {n} с; «Повторить» пробует сразу."
    ),
    "{name} could not be started.": "{name}: запустить не удалось.",
    "The models could not be read: {count:said} in {where}.": (
        "Каталог моделей не прочитан: {count} в {where}."
    ),
    "a mistake": "ошибка",
    "{n:#} mistakes": "{n} {n:ошибка|ошибки|ошибок}",
    "Correct the file; every key is explained in docs/models-yaml.md.": (
        "Исправьте файл; все ключи описаны в docs/models-yaml.md."
    ),
    # Chats and what is kept
    "This conversation is no longer there.": "Этого разговора больше нет.",
    "Begin a new one, or open another from the list.": (
        "Начните новый или откройте другой из списка."
    ),
    "The message this belongs to is no longer there.": (
        "Сообщения, к которому это относится, больше нет."
    ),
    "Open the conversation again and repeat it.": "Откройте разговор снова и повторите.",
    "The answer would be empty.": "Ответ получится пустым.",
    "Write something, or delete the answer.": "Напишите что-нибудь или удалите ответ.",
    "Feedback cannot be {value}.": "Оценка не может быть {value}.",
    "Give 1, -1, or 0 for neither.": "Поставьте 1, -1 или 0, если ни то ни другое.",
    "This message is not an answer.": "Это сообщение — не ответ.",
    "Choose an answer of a model.": "Выберите ответ модели.",
    "It is not clear which chats are meant.": "Непонятно, о каких чатах речь.",
    "This conversation is still empty.": "Этот разговор ещё пуст.",
    "Say something first.": "Сначала скажите что-нибудь.",
    "Nothing is shared under this link, or it has been taken back.": (
        "По этой ссылке ничего нет, или доступ по ней закрыт."
    ),
    "Ask whoever gave it to you for a new one.": "Попросите новую у того, кто её дал.",
    "Sharing is turned off here.": "Ссылки на чаты здесь отключены.",
    "Export the chat instead, or ask whoever runs this Parley (PARLEY_SHARING).": (
        "Экспортируйте чат или обратитесь к тому, кто запустил этот Parley (PARLEY_SHARING)."
    ),
    "There is no export as {format}.": "Экспорта в формат {format} нет.",
    "There are no chats yet.": "Чатов пока нет.",
    "A page of HTML holds one chat.": "На странице HTML помещается один чат.",
    "Export them one by one, or as Markdown.": ("Экспортируйте их по одному или в Markdown."),
    "The folder of what Parley keeps, {folder}, cannot be written to.": (
        "В папку с данными Parley, {folder}, нельзя писать."
    ),
    "Make it writable, or start Parley with another data folder (PARLEY_DATA_DIR).": (
        "Разрешите запись или запустите Parley с другой папкой данных (PARLEY_DATA_DIR)."
    ),
    "The disk is full, so nothing could be saved.": "Диск заполнен, сохранить ничего не удалось.",
    "Free some space where {folder} is, then try again.": (
        "Освободите место там, где {folder}, и попробуйте снова."
    ),
    "A file that Parley keeps, {file}, is damaged.": "Файл с данными Parley, {file}, повреждён.",
    "Move it away and restart Parley, which then begins a new one; keep the old one if you want "
    "to try and rescue it.": (
        "Переместите его и перезапустите Parley, он начнёт новый; старый сохраните, если хотите "
        "попробовать его спасти."
    ),
    "Another program keeps {file:said} locked.": "Другая программа заблокировала {file}.",
    "Try again; if it stays so, end the program that has the file open.": (
        "Попробуйте снова; если не пройдёт, закройте программу, открывшую файл."
    ),
    "{file:said} could not be read or written ({error}).": (
        "{file}: прочесть или записать не удалось ({error})."
    ),
    "Try again; the program's log has the details.": (
        "Попробуйте снова; подробности — в журнале программы."
    ),
    "What is saved here was written by a newer Parley than this one.": (
        "Сохранённое здесь записал более новый Parley."
    ),
    "Update Parley, or start it with another data folder.": (
        "Обновите Parley или запустите его с другой папкой данных."
    ),
    # Files in a message
    "{name} is empty.": "{name}: файл пуст.",
    "Attach a file that has text in it.": "Прикрепите файл, в котором есть текст.",
    "{name} is not a kind of file that can be read.": "{name}: такие файлы не читаются.",
    "If it is text, give its name the ending .txt and attach it again.": (
        "Если это текст, добавьте к имени .txt и прикрепите снова."
    ),
    "The models here read text, not pictures: describe it, or attach its text.": (
        "Модели здесь читают текст, а не картинки: опишите её или прикрепите текст с неё."
    ),
    "Save it as PDF or as plain text (.txt), then attach that.": (
        "Сохраните его как PDF или простой текст (.txt) и прикрепите."
    ),
    "Unpack it, then attach the files in it.": "Распакуйте его и прикрепите файлы из него.",
    "Save the sheet as CSV, then attach that.": "Сохраните лист как CSV и прикрепите.",
    "Attach a transcript of it as text.": "Прикрепите запись речи текстом.",
    "{name} does not hold text.": "{name}: в файле не текст.",
    "Attach the text itself, saved as plain text in UTF-8.": (
        "Прикрепите сам текст, сохранённый как простой текст в UTF-8."
    ),
    "{n:#} damaged characters were left out": "пропущено повреждённых знаков: {n}",
    "Read as Windows-1252": "Прочитано как Windows-1252",
    "{n:#} page": "{n} {n:страница|страницы|страниц}",
    "{n:#} pages": "{n} {n:страница|страницы|страниц}",
    "{counted:said}, {n:#} without text": "{counted}, без текста: {n}",
    "{name} is locked with a password.": "{name}: файл закрыт паролем.",
    "Save a copy without one; attach that.": "Сохраните копию без пароля и прикрепите её.",
    "{name} holds pictures of its pages and no text.": (
        "{name}: в файле изображения страниц, текста нет."
    ),
    "Have its text recognised (OCR) first, then attach it again.": (
        "Сначала распознайте текст (OCR) и прикрепите снова."
    ),
    "{name} has {n:#} pages; at most {most:#} are read.": (
        "{name}: {n} {n:страница|страницы|страниц}; читается не больше {most}."
    ),
    "{name} took longer than {n:#} seconds to read.": (
        "{name}: чтение заняло больше {n} {n:секунды|секунд|секунд}."
    ),
    "{name} needs too much memory to read.": "{name}: для чтения нужно слишком много памяти.",
    "{name} cannot be read as a PDF: it is damaged or something else.": (
        "{name}: файл не читается как PDF, он повреждён, или это что-то другое."
    ),
    "Open it, save it as PDF once more, then attach that.": (
        "Откройте его, сохраните как PDF ещё раз и прикрепите."
    ),
    "Attach only the pages that matter.": "Прикрепите только важные страницы.",
    "Attach the part that matters.": "Прикрепите ту часть, которая важна.",
    "{name} is larger than {size:said}.": "{name}: файл больше {size}.",
    "{name} holds {what:said}; at most {most:#} are taken.": (
        "{name}: в файле {what}; берётся не больше {most}."
    ),
    "{n:#} characters of text": "{n} {n:знак|знака|знаков} текста",
    "more than {n:#} characters of text": "больше {n} {n:знака|знаков|знаков} текста",
    "The encoding of {name} is not known.": "Кодировка {name} неизвестна.",
    "Save it as UTF-8, then attach it again.": "Сохраните его в UTF-8 и прикрепите снова.",
    "{name} did not arrive as it was sent.": "{name}: файл дошёл не таким, каким был отправлен.",
    "Attach it again.": "Прикрепите его снова.",
    # Import
    "The file holds no conversation that Parley knows how to read.": (
        "В файле нет разговора, который Parley умеет читать."
    ),
    "The file has {size:said}, and {most:said} is the most that can be imported at once.": (
        "В файле {size}, а за один раз можно импортировать не больше {most}."
    ),
    "Divide it into several files.": "Разделите его на несколько файлов.",
    "The file is not JSON: {error} in line {line}, column {column}.": (
        "Файл — не JSON: {error}, строка {line}, столбец {column}."
    ),
    "The file is nested too deep to be read.": "Файл вложен слишком глубоко, прочесть его нельзя.",
    "Export it again, or take that part out.": "Экспортируйте его снова или уберите эту часть.",
    "The file holds a whole number of thousands of digits.": (
        "В файле есть целое число из тысяч цифр."
    ),
    "Take it out, then import the file again.": "Уберите это и импортируйте файл снова.",
    "The file has version {version}, which is newer than this Parley.": (
        "Версия файла — {version}, она новее этого Parley."
    ),
    "Update Parley.": "Обновите Parley.",
    "{place} holds nothing that a user or an assistant said.": (
        "{place}: здесь нет слов пользователя или ассистента."
    ),
    "Put a message there, then import it again.": ("Добавьте туда сообщение и импортируйте снова."),
    "{place:said} is {value:said}, not {wanted:said}.": "{place}: {value}, а нужно: {wanted}.",
    "Put {wanted:said} there, then import it again.": (
        "Запишите туда: {wanted} — и импортируйте снова."
    ),
    "missing": "отсутствует",
    "an object": "объект",
    "a list": "список",
    "a text": "текст",
    "one of {known}": "одно из {known}",
    "a time in seconds since 1970": "время в секундах с 1970 года",
    "an id of its own": "собственный id",
    "the id of a message that stands before it": "id сообщения, которое стоит выше",
    "the id of one of its messages": "id одного из его сообщений",
    "{place} is nested more than {n:#} levels deep.": (
        "{place}: вложенность больше {n} {n:уровня|уровней|уровней}."
    ),
    "The number {digits} is too large.": "Число {digits} слишком велико.",
    "{name} is not a number in JSON.": "{name} в JSON — не число.",
    "Write null there, then import the file again.": (
        "Запишите туда null и импортируйте файл снова."
    ),
    "Import chats that Parley exported as JSON, or messages as OpenAI writes them, one "
    'conversation or one in each line: {"messages": [{"role": "user", "content": "..."}]}.': (
        "Импортируйте чаты, которые Parley экспортировал в JSON, или сообщения в формате OpenAI, "
        "один разговор или по одному на строку: "
        '{"messages": [{"role": "user", "content": "..."}]}.'
    ),
    # Comparisons, blind rounds, votes
    "This is no comparison.": "Это не сравнение.",
    "Begin one with Compare in the sidebar.": "Начните его в боковой панели.",
    "This column is of another comparison.": "Этот столбец из другого сравнения.",
    "A comparison has {least:#} to {most:#} columns.": "В сравнении от {least} до {most} столбцов.",
    "Add or remove one, or begin another comparison.": (
        "Добавьте или уберите столбец или начните другое сравнение."
    ),
    "Open the comparison again.": "Откройте сравнение снова.",
    "A blind round takes two models that can answer here, and there are fewer.": (
        "Для слепого раунда нужны две модели, которые могут здесь ответить, а их меньше."
    ),
    "Add a model to models.yaml, or make room for a second one.": (
        "Добавьте модель в models.yaml или освободите место для второй."
    ),
    "Vote on it first.": "Сначала проголосуйте.",
    "A blind round is exported after the vote.": "Слепой раунд экспортируется после голосования.",
    "This comparison is no blind round.": "Это сравнение — не слепой раунд.",
    "This round is not there, or is not yours.": "Этого раунда нет, или он не ваш.",
    "Begin a new round.": "Начните новый раунд.",
    "This round has ended.": "Этот раунд закончен.",
    "This round has been voted on already.": "В этом раунде уже есть голос.",
    "Begin a new round to vote again.": "Чтобы голосовать снова, начните новый раунд.",
    "The answers are not those of this round.": "Это ответы не из этого раунда.",
    "This is no outcome of a vote.": "Такого исхода голосования нет.",
    "Reload the page, then vote again.": "Обновите страницу и проголосуйте снова.",
    "The {side:said} answer has failed.": "{side} не получился.",
    "The {side:said} answer has no text yet.": "{side} ещё без текста.",
    "left": "Левый ответ",
    "right": "Правый ответ",
    "Retry that side, then vote.": "Повторите его, потом голосуйте.",
    "This side could not answer.": "Эта сторона не смогла ответить.",
    "Retry it; if that fails too, begin another round.": (
        "Повторите его; если снова не получится, начните другой раунд."
    ),
    "Wait until both answers have begun, then vote.": (
        "Подождите, пока начнутся оба ответа, потом голосуйте."
    ),
    "A vote takes two answers.": "Чтобы голосовать, нужны два ответа.",
    "Show a second column.": "Откройте второй столбец.",
    "There is no answer to vote on.": "Нет ответа, о котором можно голосовать.",
    "Ask something first.": "Сначала спросите что-нибудь.",
    "Votes are not exported in this format.": "В этом формате голоса не экспортируются.",
    "Choose JSONL or CSV.": "Выберите JSONL или CSV.",
    "The file is larger than {n:#} MB.": "Файл больше {n} МБ.",
    "Split it, then import both.": "Разделите его и импортируйте обе части.",
    "The file is empty.": "Файл пуст.",
    "Choose a file of votes: JSON Lines, one vote a line.": (
        "Выберите файл с голосами: JSON Lines, по голосу на строку."
    ),
    "There is no vote in this file. {why:said}": "В этом файле нет голосов. {why}",
    "Choose a file that was exported from a leaderboard, or FastChat's cleaned battles.": (
        "Выберите файл, экспортированный из таблицы лидеров, или очищенные поединки FastChat."
    ),
    "The file is no JSON.": "Файл — не JSON.",
    "This is no JSON.": "Это не JSON.",
    "Line {n:#}": "Строка {n}",
    "Entry {n:#}": "Запись {n}",
    "Export it again, then import it.": "Экспортируйте его снова и импортируйте.",
    "Both answers are by the same model.": "Оба ответа от одной модели.",
    "Take the vote out, then import the file again.": (
        "Уберите этот голос и импортируйте файл снова."
    ),
    "{place} does not end with an answer.": "{place}: последним должен быть ответ.",
    "Take it out, then import it again.": "Уберите это и импортируйте снова.",
    "The vote": "Голос",
    "A tag": "Метка",
    "A role": "Роль",
    "A message of the prompt": "Сообщение промпта",
    "A message's content": "Содержание сообщения",
    "a number from 0 on": "число от 0",
    "a whole number": "целое число",
    "a text of 1 to 200 characters": "текст от 1 до 200 знаков",
    "a text of at most {n:#} characters": "текст не длиннее {n} {n:знака|знаков|знаков}",
    "a time like 2026-01-31T12:00:00Z": "время вида 2026-01-31T12:00:00Z",
    "true or false": "true или false",
}
