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
  ];
  let form, heading, model = null;
  const all = () => Parley.remember.get("settings", {}) || {};
  const own = () => all()[model.id] || {};
  function save(key, value) {
    const every = all(), mine = { ...(every[model.id] || {}) };
    if (value === undefined) delete mine[key]; else mine[key] = value;
    if (Object.keys(mine).length) every[model.id] = mine; else delete every[model.id];
    Parley.remember.set("settings", every);
    form.querySelector(`[data-key="${key}"]`).classList.toggle("changed", value !== undefined);
  }
  const start = parts => { ({ form, heading } = parts); form.addEventListener("submit", e => e.preventDefault()); };
  function show(id) {
    model = Parley.byId(id);
    if (!model) return;
    heading.textContent = `For ${model.name}, kept in this browser.`;
    form.replaceChildren(...FIELDS.map(field));
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
  // A refused value leaves the last good one in force; why is said where the hint stood.
  function wrong(node, why) { node.classList.toggle("wrong", !!why); node.querySelector("small").textContent = why || node.note; }
  return { start, show, reset() { const every = all(); delete every[model.id]; Parley.remember.set("settings", every); show(model.id); }, changes: id => ({ ...(all()[id] || {}) }) };
})();
