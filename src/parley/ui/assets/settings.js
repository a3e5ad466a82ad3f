// The settings drawer: a model's own defaults, and what this person changed, kept per model in
// this browser. Only changes are sent along with a message. Presets are presets.js.
Parley.settings = (() => {
  const { el, icon, attr, put, fill } = Parley;
  const FIELDS = [
    { key: "system_prompt", label: LABELS.SYSTEM_PROMPT, kind: "text", rows: 4, note: LABELS.NOTE_SYSTEM_PROMPT },
    { key: "thinking", label: LABELS.THINKING_SWITCH, kind: "switch", note: LABELS.NOTE_THINKING },
    { key: "temperature", label: LABELS.TEMPERATURE, kind: "range", min: 0, max: 2, step: 0.05, note: LABELS.NOTE_TEMPERATURE },
    { key: "top_p", label: LABELS.TOP_P, kind: "range", min: 0, max: 1, step: 0.01 },
    { key: "top_k", label: LABELS.TOP_K, kind: "range", min: 0, max: 200, step: 1, note: LABELS.NOTE_OFF_AT_0 },
    { key: "min_p", label: LABELS.MIN_P, kind: "range", min: 0, max: 1, step: 0.01, note: LABELS.NOTE_OFF_AT_0 },
    { key: "repetition_penalty", label: LABELS.REPETITION_PENALTY, kind: "range", min: 0.5, max: 2, step: 0.01, note: LABELS.NOTE_OFF_AT_1 },
    { key: "max_new_tokens", label: LABELS.MAX_NEW_TOKENS, kind: "range", min: 1, max: 4096, step: 1 },
    { key: "stop", label: LABELS.STOP_STRINGS, kind: "text", rows: 2, note: LABELS.NOTE_STOP },
    { key: "seed", label: LABELS.SEED, kind: "seed", note: LABELS.NOTE_SEED },
    { key: "form", label: LABELS.ANSWER_FORM, kind: "form" },
  ];
  const MORE = [
    { key: "typical_p", label: LABELS.TYPICAL_P, kind: "range", min: 0, max: 1, step: 0.01, note: LABELS.NOTE_OFF_AT_1 },
    { key: "frequency_penalty", label: LABELS.FREQUENCY_PENALTY, kind: "range", min: -2, max: 2, step: 0.05, note: LABELS.NOTE_FREQUENCY },
    { key: "presence_penalty", label: LABELS.PRESENCE_PENALTY, kind: "range", min: -2, max: 2, step: 0.05, note: LABELS.NOTE_PRESENCE },
    { key: "logit_bias", label: LABELS.LOGIT_BIAS, kind: "bias", note: LABELS.NOTE_BIAS },
  ];
  // What an answer has to look like. Each but the first fills one setting, the last two with a text.
  const JSON_OF_ANY_KIND = '{"type": ["object", "array"]}';
  const FORMS = [
    { name: "free", label: LABELS.FREE_TEXT, note: "" },
    { name: "json", label: LABELS.JSON, note: LABELS.NOTE_JSON },
    { name: "schema", label: LABELS.JSON_SCHEMA, key: "json_schema", note: LABELS.NOTE_SCHEMA, hint: '{"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}' },
    { name: "regex", label: LABELS.REGEX, key: "regex", note: LABELS.NOTE_REGEX, hint: "(yes|no)" },
  ];
  // What the switch sends; nothing leaves it to the model.
  const THINKING = [[undefined, LABELS.THINKING_AUTO], [true, LABELS.THINKING_ON], [false, LABELS.THINKING_OFF]];
  const SEEDS = 2 ** 32; // drawn below it: short enough to be read out
  const MOST_BIAS = 100, MOST_BIASES = 300; // as the server has them
  let form, heading, presets, model = null, left = null, scope = null;
  const fields = new Map();

  const all = () => Parley.remember.get("settings") || {};
  // Kept per model in this browser, or by whoever the drawer was opened for.
  const own = () => scope ? scope.read() : all()[model.id] || {};
  function save(key, value) {
    store({ [key]: value });
    form.querySelector(`[data-key="${key}"]`).classList.toggle("changed", value !== undefined);
  }
  function store(changes) {
    const every = all(), mine = { ...own(), ...changes };
    for (const key of Object.keys(changes)) if (changes[key] === undefined) delete mine[key];
    if (scope) { scope.write(mine); presets?.set(); return; }
    if (Object.keys(mine).length) every[model.id] = mine; else delete every[model.id];
    Parley.remember.set("settings", every);
    presets?.set();
  }
  const start = parts => { ({ form, heading } = parts); form.addEventListener("submit", e => e.preventDefault()); };
  // `place` keeps the settings of something else than the chat: its `read()` and `write(settings)`.
  function show(id, place = null) {
    model = Parley.byId(id);
    if (!model) return;
    scope = place;
    heading.textContent = fill(LABELS.SETTINGS_FOR, { model: model.name });
    const open = form.querySelector("details")?.open || MORE.some(f => own()[f.key] !== undefined);
    fields.clear();
    presets = Parley.presets.part({ model, now: own, apply: changes => { store(changes); for (const key of Object.keys(changes)) fields.get(key)?.set(); } });
    form.replaceChildren(presets, ...FIELDS.map(build), el("details", { class: "rare", open }, el("summary", {}, LABELS.MORE), ...MORE.map(build)));
  }
  // Every field is built once for a model; `set` brings it up to date, and nothing loses the focus.
  function build(f) {
    const node = ({ range, text, switch: thinking, seed, bias, form: answerForm })[f.kind](f);
    fields.set(f.key, node);
    node.set?.();
    return node;
  }
  const base = key => model.defaults[key];
  const same = (key, value) => JSON.stringify(value) === JSON.stringify(base(key)) ? undefined : value;
  // `tag` is a label where there is one control in it, else a div: a label's click goes to the first.
  function frame(f, tag, ...inside) {
    const node = el(tag, { class: "field", "data-key": f.key });
    node.cap = el("span", { class: "cap" }, el("span", {}, f.label));
    node.append(node.cap, ...inside, el("small", { role: "status" }, f.note || ""));
    node.note = f.note || "";
    const mark = () => node.classList.toggle("changed", own()[f.key] !== undefined);
    node.shows = draw => { node.set = () => { mark(); draw(own()[f.key] === undefined ? base(f.key) : own()[f.key]); }; };
    return node;
  }
  function range(f) {
    const [low, high] = model.limits[f.key], whole = f.step === 1;
    const slider = el("input", { type: "range", min: f.min, max: f.max, step: f.step, "aria-label": f.label, tabindex: -1 });
    const number = el("input", { type: "number", min: low, max: high, step: whole ? 1 : "any", "aria-label": f.label });
    const node = frame(f, "label", slider);
    node.cap.append(number);
    slider.addEventListener("input", () => { number.value = slider.value; wrong(node, null); save(f.key, same(f.key, +slider.value)); });
    number.addEventListener("input", () => {
      const right = number.value !== "" && number.checkValidity();
      wrong(node, right ? null : fill(whole ? LABELS.WRONG_WHOLE : LABELS.WRONG_NUMBER, { low, high: Parley.number(+number.max) }));
      if (right) { slider.value = number.value; save(f.key, same(f.key, +number.value)); }
    });
    number.addEventListener("blur", () => { node.set(); wrong(node, null); });
    node.shows(value => {
      if (f.key === "max_new_tokens") bound(node, slider, number, value, high);
      if (document.activeElement !== number || number.value === "" || +number.value !== value) number.value = value;
      slider.value = value;
    });
    return node;
  }
  // An answer is never longer than what the window leaves for it. What was set stays set: in a new
  // chat there is room for it again.
  function bound(node, slider, number, value, high) {
    const room = Math.max(1, Math.min(high, left ?? model.context ?? high));
    attr(number, "max", room);
    attr(slider, "max", Math.min(room, Math.max(4096, base("max_new_tokens"))));
    node.note = room === high ? "" : fill(value > room ? LABELS.NOTE_ROOM_SHORT : LABELS.NOTE_ROOM, { room: Parley.number(room) });
    if (!node.classList.contains("wrong")) put(node.querySelector("small"), node.note);
  }
  function text(f) {
    const lines = f.key === "stop", area = el("textarea", { rows: f.rows, "aria-label": f.label, dir: "auto" });
    const node = frame(f, "label", area);
    area.addEventListener("input", () => save(f.key, same(f.key, lines ? area.value.split("\n").filter(Boolean) : area.value)));
    node.shows(value => { area.value = lines ? (value || []).join("\n") : value || ""; });
    return node;
  }
  // Shown only where the model's template has the switch.
  function thinking(f) {
    const group = "thinking-" + Parley.token();
    const inputs = THINKING.map(([value]) => { const input = el("input", { type: "radio", name: group }); input.addEventListener("change", () => save(f.key, value)); return input; });
    const node = frame(f, "div", el("div", { class: "segments", role: "radiogroup", "aria-label": f.label }, ...inputs.map((input, i) => el("label", {}, input, el("span", {}, THINKING[i][1])))));
    node.shows(value => { node.hidden = !model.thinking_switch; inputs.forEach((input, i) => { input.checked = THINKING[i][0] === value; }); });
    return node;
  }
  function seed(f) {
    const input = el("input", { type: "text", inputmode: "numeric", pattern: "[0-9]*", placeholder: LABELS.SEED_RANDOM, "aria-label": f.label, autocomplete: "off" });
    const dice = el("button", { type: "button", class: "round", "aria-label": LABELS.SEED_DRAW, title: LABELS.SEED_DRAW }, icon("dice"));
    const clear = el("button", { type: "button", class: "round", "aria-label": LABELS.SEED_CLEAR, title: LABELS.SEED_CLEAR }, icon("close"));
    const node = frame(f, "div", el("div", { class: "seed" }, input, dice, clear));
    const take = value => { save(f.key, same(f.key, value)); node.set(); };
    input.addEventListener("input", () => { const digits = input.value.replace(/\D/g, "").slice(0, 15); if (digits !== input.value) input.value = digits; take(digits === "" ? null : +digits); });
    dice.addEventListener("click", () => take(crypto.getRandomValues(new Uint32Array(1))[0] % SEEDS));
    clear.addEventListener("click", () => { take(null); input.focus(); });
    node.shows(value => { const shown = value === null || value === undefined ? "" : String(value); if (input.value !== shown) input.value = shown; clear.hidden = shown === ""; });
    return node;
  }
  function bias(f) {
    const input = el("input", { type: "text", placeholder: LABELS.BIAS_NONE, "aria-label": f.label, spellcheck: "false" });
    const node = frame(f, "label", input);
    input.addEventListener("input", () => { const [pairs, why] = biases(input.value); wrong(node, why); if (!why) save(f.key, same(f.key, pairs)); });
    node.shows(value => { input.value = (value || []).map(([token, much]) => token + ": " + much).join(", "); });
    return node;
  }
  function biases(text) {
    const pairs = [];
    for (const part of text.split(/[,;\n]/).filter(p => p.trim())) {
      const found = /^\s*(\d{1,9})\s*[:=]\s*([-+]?\d+(?:\.\d+)?)\s*$/.exec(part);
      if (!found) return [null, LABELS.WRONG_BIAS];
      if (Math.abs(+found[2]) > MOST_BIAS) return [null, fill(LABELS.WRONG_BIAS_RANGE, { most: MOST_BIAS })];
      pairs.push([+found[1], +found[2]]);
    }
    return pairs.length > MOST_BIASES ? [null, fill(LABELS.WRONG_BIAS_COUNT, { most: MOST_BIASES })] : [pairs, null];
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
    const check = () => wrong(node, choice.value === "schema" && area.value.trim() && !isJson(area.value) ? LABELS.WRONG_JSON : null);
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
  function reset() {
    const every = all();
    if (scope) scope.write({}); else { delete every[model.id]; Parley.remember.set("settings", every); }
    show(model.id, scope);
  }
  // Where what is so has changed: the model has come into memory, the conversation has grown.
  function refresh() { fields.get("thinking")?.set(); }
  // `tokens` is what the window leaves for an answer, null where that is not known.
  function room(tokens) {
    if (left === tokens) return;
    left = tokens;
    fields.get("max_new_tokens")?.set();
  }
  // What is sent with a message to this model.
  // A system prompt is sent beside the other settings.
  const parted = ({ system_prompt = null, ...settings }) => ({ settings, system_prompt });
  const changes = id => sendable(id, all()[id] || {});
  function sendable(id, settings) {
    const { thinking: wish, ...rest } = settings;
    return wish !== undefined && Parley.byId(id)?.thinking_switch ? { ...rest, thinking: wish } : rest;
  }
  return { start, show, refresh, room, reset, changes, sendable, parted };
})();
