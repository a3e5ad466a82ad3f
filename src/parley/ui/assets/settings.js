// The settings drawer: a model's own defaults, and what this person changed, kept per model in
// this browser. Only changes are sent along with a message.
Parley.settings = (() => {
  const { el } = Parley;
  const FIELDS = [
    { key: "system_prompt", label: LABELS.SYSTEM_PROMPT, kind: "text", rows: 4, note: "Sent before the conversation; leave empty for none." },
    { key: "temperature", label: LABELS.TEMPERATURE, kind: "range", min: 0, max: 2, step: 0.05, note: "0 always takes the likeliest word." },
    { key: "top_p", label: LABELS.TOP_P, kind: "range", min: 0, max: 1, step: 0.01 },
    { key: "top_k", label: LABELS.TOP_K, kind: "range", min: 0, max: 200, step: 1, note: "0 switches it off." },
    { key: "min_p", label: LABELS.MIN_P, kind: "range", min: 0, max: 1, step: 0.01, note: "0 switches it off." },
    { key: "repetition_penalty", label: LABELS.REPETITION_PENALTY, kind: "range", min: 0.5, max: 2, step: 0.01, note: "1 switches it off." },
    { key: "max_new_tokens", label: LABELS.MAX_NEW_TOKENS, kind: "range", min: 1, max: 4096, step: 1 },
    { key: "stop", label: LABELS.STOP_STRINGS, kind: "text", rows: 2, note: "One per line; the answer ends before the first that appears." },
    { key: "seed", label: LABELS.SEED, kind: "seed", note: "Empty draws a new one for each answer. Same seed, same prompt: same text." },
    { key: "form", label: LABELS.ANSWER_FORM, kind: "form" },
  ];
  const MORE = [
    { key: "typical_p", label: LABELS.TYPICAL_P, kind: "range", min: 0, max: 1, step: 0.01, note: "1 switches it off." },
    { key: "frequency_penalty", label: LABELS.FREQUENCY_PENALTY, kind: "range", min: -2, max: 2, step: 0.05, note: "Against each use in the answer; 0 switches it off." },
    { key: "presence_penalty", label: LABELS.PRESENCE_PENALTY, kind: "range", min: -2, max: 2, step: 0.05, note: "Against any use in the answer; 0 switches it off." },
    { key: "logit_bias", label: LABELS.LOGIT_BIAS, kind: "bias", note: "Pairs such as 1234: -5, with the ids of this model's tokens." },
  ];
  // What an answer has to look like. Each but the first fills one setting, the last two with a text.
  const JSON_OF_ANY_KIND = '{"type": ["object", "array"]}';
  const FORMS = [
    { name: "free", label: LABELS.FREE_TEXT, note: "" },
    { name: "json", label: LABELS.JSON, note: "An object or a list." },
    { name: "schema", label: LABELS.JSON_SCHEMA, key: "json_schema", note: "The answer is JSON that fits it.", hint: '{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}' },
    { name: "regex", label: LABELS.REGEX, key: "regex", note: "The whole answer matches it.", hint: "(yes|no)" },
  ];
  let form, heading, model = null;
  const all = () => Parley.remember.get("settings", {}) || {};
  const own = () => all()[model.id] || {};
  function save(key, value) {
    store({ [key]: value });
    form.querySelector(`[data-key="${key}"]`).classList.toggle("changed", value !== undefined);
  }
  function store(changes) {
    const every = all(), mine = { ...(every[model.id] || {}), ...changes };
    for (const key of Object.keys(changes)) if (changes[key] === undefined) delete mine[key];
    if (Object.keys(mine).length) every[model.id] = mine; else delete every[model.id];
    Parley.remember.set("settings", every);
  }
  const start = parts => { ({ form, heading } = parts); form.addEventListener("submit", e => e.preventDefault()); };
  function show(id) {
    model = Parley.byId(id);
    if (!model) return;
    heading.textContent = `For ${model.name}, kept in this browser.`;
    const open = form.querySelector("details")?.open || MORE.some(f => own()[f.key] !== undefined);
    form.replaceChildren(...FIELDS.map(f => f.kind === "form" ? answerForm(f) : field(f)),
      el("details", { class: "rare", open }, el("summary", {}, LABELS.MORE), ...MORE.map(field)));
  }
  function field(f) {
    const base = model.defaults[f.key], mine = own()[f.key], value = mine === undefined ? base : mine;
    const node = el("label", { class: "field" + (mine === undefined ? "" : " changed"), "data-key": f.key });
    const cap = el("span", { class: "cap" }, el("span", {}, f.label));
    const same = v => JSON.stringify(v) === JSON.stringify(base) ? undefined : v;
    node.append(cap);
    if (f.kind === "range") {
      const [low, high] = model.limits[f.key];
      const most = f.key === "max_new_tokens" ? Math.min(f.max, model.context || f.max) : f.max;
      const range = el("input", { type: "range", min: f.min, max: most, step: f.step, "aria-label": f.label, tabindex: -1 });
      const number = el("input", { type: "number", min: low, max: high, step: f.step === 1 ? 1 : "any", "aria-label": f.label });
      range.value = number.value = value;
      range.addEventListener("input", () => { number.value = range.value; save(f.key, same(+range.value)); });
      number.addEventListener("input", () => { const right = number.value !== "" && number.checkValidity();
        wrong(node, right ? null : `Use a ${f.step === 1 ? "whole " : ""}number from ${low} to ${high}.`);
        if (right) { range.value = number.value; save(f.key, same(+number.value)); } });
      number.addEventListener("blur", () => { const kept = own()[f.key]; number.value = range.value = kept === undefined ? base : kept; wrong(node, null); });
      cap.append(number);
      node.append(range);
    } else if (f.kind === "seed") {
      const input = el("input", { type: "text", inputmode: "numeric", pattern: "[0-9]*", placeholder: "random", "aria-label": f.label });
      input.value = value ?? "";
      input.addEventListener("input", () => { const digits = input.value.replace(/\D/g, "").slice(0, 15); if (digits !== input.value) input.value = digits; save(f.key, same(digits === "" ? null : +digits)); });
      node.append(input);
    } else if (f.kind === "bias") {
      const input = el("input", { type: "text", placeholder: "none", "aria-label": f.label, spellcheck: "false" });
      input.value = value.map(([token, bias]) => token + ": " + bias).join(", ");
      input.addEventListener("input", () => { const [pairs, why] = biases(input.value); wrong(node, why); if (!why) save(f.key, same(pairs)); });
      node.append(input);
    } else {
      const area = el("textarea", { rows: f.rows, "aria-label": f.label, dir: "auto" });
      const lines = f.key === "stop";
      area.value = lines ? (value || []).join("\n") : value || "";
      area.addEventListener("input", () => save(f.key, same(lines ? area.value.split("\n").filter(Boolean) : area.value)));
      node.append(area);
    }
    node.append(el("small", { role: "status" }, f.note || ""));
    node.note = f.note || "";
    return node;
  }
  function biases(text) {
    const pairs = [];
    for (const part of text.split(/[,;\n]/).filter(p => p.trim())) {
      const found = /^\s*(\d{1,9})\s*[:=]\s*([-+]?\d+(?:\.\d+)?)\s*$/.exec(part);
      if (!found) return [null, "Write each as token id: bias, with commas between them."];
      if (Math.abs(+found[2]) > 100) return [null, "Use a bias from -100 to 100."];
      pairs.push([+found[1], +found[2]]);
    }
    return pairs.length > 300 ? [null, "Use at most 300 pairs."] : [pairs, null];
  }
  function answerForm(f) {
    const { json_schema: schema, regex } = own();
    const now = regex !== undefined ? "regex" : schema === JSON_OF_ANY_KIND ? "json" : schema !== undefined ? "schema" : "free";
    const node = el("div", { class: "field", "data-key": f.key });
    const choice = el("select", { "aria-label": f.label }, ...FORMS.map(o => el("option", { value: o.name }, o.label)));
    const area = el("textarea", { rows: 5, dir: "ltr", spellcheck: "false", class: "code" });
    const texts = { schema: now === "schema" ? schema : "", regex: regex || "" };
    const draw = () => {
      const form = FORMS.find(o => o.name === choice.value);
      node.classList.toggle("changed", form.name !== "free");
      area.hidden = !form.key;
      if (form.key) { area.value = texts[form.name]; area.placeholder = form.hint; area.setAttribute("aria-label", form.label); }
      node.note = form.note;
      check();
    };
    const check = () => wrong(node, choice.value === "schema" && area.value.trim() && !isJson(area.value) ? "This is not JSON yet." : null);
    const keep = () => store({ json_schema: { json: JSON_OF_ANY_KIND, schema: texts.schema }[choice.value], regex: choice.value === "regex" ? texts.regex : undefined });
    choice.value = now;
    choice.addEventListener("change", () => { keep(); draw(); });
    area.addEventListener("input", () => { texts[choice.value] = area.value; keep(); check(); });
    node.append(el("span", { class: "cap" }, el("span", {}, f.label)), choice, area, el("small", { role: "status" }));
    draw();
    return node;
  }
  const isJson = text => { try { JSON.parse(text); return true; } catch { return false; } };
  // A refused value leaves the last good one in force; why is said where the hint stood.
  function wrong(node, why) { node.classList.toggle("wrong", !!why); node.querySelector("small").textContent = why || node.note; }
  return { start, show, reset() { const every = all(); delete every[model.id]; Parley.remember.set("settings", every); show(model.id); }, changes: id => ({ ...(all()[id] || {}) }) };
})();
