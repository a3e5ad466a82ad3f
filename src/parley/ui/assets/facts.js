// How an answer came to be, in words: the table behind the line under it, and what was changed
// before it. The server gives names and figures; see parley/ui/stats.py and parley/ui/marks.py.
Parley.facts = (() => {
  const { el, fill } = Parley;
  const SETTINGS = {
    temperature: LABELS.TEMPERATURE, top_p: LABELS.TOP_P, top_k: LABELS.TOP_K, min_p: LABELS.MIN_P, typical_p: LABELS.TYPICAL_P,
    repetition_penalty: LABELS.REPETITION_PENALTY, frequency_penalty: LABELS.FREQUENCY_PENALTY, presence_penalty: LABELS.PRESENCE_PENALTY,
    max_new_tokens: LABELS.MAX_NEW_TOKENS, stop: LABELS.STOP_STRINGS, seed: LABELS.SEED, logit_bias: LABELS.LOGIT_BIAS,
    json_schema: LABELS.JSON_SCHEMA, regex: LABELS.REGEX, form: LABELS.ANSWER_FORM,
  };
  const FACTS = {
    model: LABELS.PICKER, repo: LABELS.FACT_REPO, folder: LABELS.FACT_FOLDER, revision: LABELS.FACT_REVISION, dtype: LABELS.FACT_DTYPE, device: LABELS.FACT_DEVICE,
    engine: LABELS.FACT_ENGINE, decoding: LABELS.FACT_DECODING, prompt_format: LABELS.FACT_PROMPT_FORMAT, prompt_tokens: LABELS.FACT_PROMPT_TOKENS,
    cached_tokens: LABELS.FACT_CACHED_TOKENS, completion_tokens: LABELS.FACT_COMPLETION_TOKENS, load_seconds: LABELS.FACT_LOAD,
    ttft_seconds: LABELS.FACT_FIRST_TOKEN, tokens_per_second: LABELS.FACT_SPEED, thinking_seconds: LABELS.FACT_THINKING,
    total_seconds: LABELS.FACT_TOTAL, ended: LABELS.FACT_ENDED, seed: LABELS.SEED, note: LABELS.FACT_NOTE,
  };
  // What a figure counts, where two people could mean two things by it.
  const MEANS = { cached_tokens: LABELS.MEANS_CACHED, load_seconds: LABELS.MEANS_LOAD, ttft_seconds: LABELS.MEANS_FIRST_TOKEN, tokens_per_second: LABELS.MEANS_SPEED };
  const WORDS = {
    ended: { stop: LABELS.ENDED_STOP, length: LABELS.ENDED_LENGTH, cancelled: LABELS.ENDED_CANCELLED, interrupted: LABELS.ENDED_INTERRUPTED, edited: LABELS.ENDED_EDITED },
    decoding: { ragged: LABELS.DECODING_RAGGED, padded: LABELS.DECODING_PADDED, single: LABELS.DECODING_SINGLE, generate: LABELS.DECODING_GENERATE },
    prompt_format: { template: LABELS.FORMAT_TEMPLATE, transcript: LABELS.FORMAT_TRANSCRIPT },
    engine: { local: LABELS.ENGINE_LOCAL },
  };

  // `facts` are pairs of a name and what it is; a setting's name begins with `set:`.
  function table(facts) {
    return el("table", {}, el("tbody", {}, ...facts.map(([name, value]) => {
      const label = name.startsWith("set:") ? SETTINGS[name.slice(4)] || name.slice(4) : FACTS[name] || name;
      return el("tr", {}, el("th", { scope: "row" }, label),
        el("td", { dir: "auto" }, WORDS[name]?.[value] || value, MEANS[name] ? el("small", {}, MEANS[name]) : null));
    })));
  }

  // One line: now Other OLMo · temperature 0.7 → 1.2
  const changes = list => list.map(({ what, old, new: now }) => {
    if (what === "model") return fill(LABELS.NOW_MODEL, { name: now });
    if (what === "system_prompt") return LABELS.SYSTEM_PROMPT_CHANGED;
    const name = (SETTINGS[what] || what).toLowerCase();
    if (now === undefined) return fill(LABELS.SETTING_CHANGED, { name });
    return fill(LABELS.SETTING_FROM_TO, { name, old: old || LABELS.NO_NUMBER, new: now || LABELS.NO_NUMBER });
  }).join(" · ");

  return { table, changes };
})();
