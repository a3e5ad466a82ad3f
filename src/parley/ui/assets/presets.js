// Presets: a name for how words are chosen. Some are built in and follow from the model's own values,
// a person's own are kept in this browser. Knows nothing of fields or of what else can be set.
Parley.presets = (() => {
  const { el, attr, fill, remember } = Parley;
  // What a preset is about; the prompt, the length and the form of an answer are left alone.
  const KEYS = ["temperature", "top_p", "top_k", "min_p", "typical_p", "repetition_penalty", "frequency_penalty", "presence_penalty"];
  // Each from the model's own value: times `times`, then not below `least` and not above `most`. So a
  // small model that was tuned for 0.2 gets livelier without falling apart, and one that always takes
  // the likeliest word can be made to choose. Min-p cuts off the unlikely at any temperature.
  const BUILT_IN = [
    { id: "own", name: LABELS.PRESET_OWN, title: LABELS.PRESET_OWN_MORE, values: {} },
    { id: "precise", name: LABELS.PRESET_PRECISE, title: LABELS.PRESET_PRECISE_MORE, values: { temperature: { times: 0.5, most: 0.3 }, top_p: { most: 0.9 }, min_p: { least: 0.1 }, repetition_penalty: { most: 1.05 } } },
    { id: "balanced", name: LABELS.PRESET_BALANCED, title: LABELS.PRESET_BALANCED_MORE, values: { temperature: { least: 0.4, most: 0.7 }, top_p: { most: 0.95 }, min_p: { least: 0.05 }, repetition_penalty: { most: 1.1 } } },
    { id: "creative", name: LABELS.PRESET_CREATIVE, title: LABELS.PRESET_CREATIVE_MORE, values: { temperature: { times: 1.5, least: 0.9, most: 1.2 }, top_p: { least: 0.95 }, min_p: { least: 0.05 }, repetition_penalty: { least: 1.05 } } },
  ];
  const LONGEST = 40; // characters of a name

  const mine = () => { const kept = remember.get("presets"); return Array.isArray(kept) ? kept : []; };
  const all = () => [...BUILT_IN, ...mine()];

  // What the preset comes to on this model, by setting.
  function values(preset, model) {
    return Object.fromEntries(KEYS.map(key => {
      const own = model.defaults[key], wish = preset.values[key];
      if (wish === undefined) return [key, own];
      if (typeof wish === "number") return [key, wish];
      const { times = 1, least = -Infinity, most = Infinity } = wish;
      return [key, Math.round(Math.min(most, Math.max(least, own * times)) * 100) / 100];
    }));
  }
  // The same as changes of the model's own values; undefined takes a change back.
  const changes = (preset, model) => Object.fromEntries(Object.entries(values(preset, model)).map(([key, value]) => [key, value === model.defaults[key] ? undefined : value]));
  // The preset that these settings are, or null. Two may be alike: the one that was pressed is meant.
  function which(model, settings) {
    const now = key => settings[key] ?? model.defaults[key];
    const alike = all().filter(preset => Object.entries(values(preset, model)).every(([key, value]) => now(key) === value));
    const pressed = (remember.get("preset") || {})[model.id];
    return alike.find(p => p.id === pressed) || alike[0] || null;
  }
  function press(model, id) { remember.set("preset", { ...(remember.get("preset") || {}), [model.id]: id }); }

  // -- the drawer's part --
  // `now` gives the settings that were changed, `apply` takes changes of them.
  function part({ model, now, apply }) {
    const choices = el("div", { class: "choices", role: "group", "aria-label": LABELS.PRESETS }), below = el("div", { class: "yours" });
    const node = el("section", { class: "presets", "aria-label": LABELS.PRESETS }, el("h3", {}, LABELS.PRESETS), choices, below);
    const key = id => Array.from(choices.children).find(n => n.dataset.key === id);
    let naming = null; // "new", or the preset that is renamed

    node.set = () => {
      const on = which(model, now());
      choices.replaceChildren(...all().map(preset => {
        const one = el("button", { type: "button", class: "choice", "data-key": preset.id, "aria-pressed": String(preset === on || preset.id === on?.id), title: preset.title || null }, preset.name);
        one.addEventListener("click", () => { naming = null; press(model, preset.id); apply(changes(preset, model)); key(preset.id)?.focus(); });
        return one;
      }), ...(on ? [] : [el("span", { class: "choice custom" }, LABELS.PRESET_CUSTOM)]));
      drawBelow(on);
    };
    function drawBelow(on) {
      if (naming) return; // what is being typed stays
      const own = on && !BUILT_IN.includes(on);
      below.replaceChildren(...[
        on ? null : link(LABELS.PRESET_SAVE, () => name("new", "")),
        own ? link(LABELS.RENAME, () => name(on, on.name)) : null,
        own ? link(LABELS.DELETE, () => drop(on)) : null,
      ].filter(Boolean));
      below.hidden = !below.childElementCount;
    }
    function link(text, run) {
      const one = el("button", { type: "button", class: "link" }, text);
      one.addEventListener("click", run);
      return one;
    }
    function name(what, old) {
      naming = what;
      const input = el("input", { type: "text", maxlength: LONGEST, "aria-label": LABELS.PRESET_NAME, placeholder: LABELS.PRESET_NAME, autocomplete: "off" });
      const fault = el("small", { role: "status" });
      const end = () => { naming = null; node.set(); below.querySelector("button")?.focus(); };
      const save = () => {
        const text = input.value.trim(), taken = all().find(p => p !== what && p.id !== what.id && p.name.toLowerCase() === text.toLowerCase());
        fault.textContent = taken ? LABELS.PRESET_TAKEN : "";
        input.setCustomValidity(fault.textContent);
        if (!text || taken) { input.focus(); return; }
        keep(what, text);
        end();
      };
      input.value = old;
      input.addEventListener("input", () => { fault.textContent = ""; input.setCustomValidity(""); });
      input.addEventListener("keydown", e => {
        if (e.key === "Enter" && !e.isComposing) { e.preventDefault(); save(); }
        else if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); end(); }
      });
      below.hidden = false;
      below.replaceChildren(input, link(LABELS.SAVE, save), link(LABELS.CANCEL, end), fault);
      input.focus(); input.select();
    }
    function keep(what, text) {
      if (what === "new") {
        const settings = now(), id = "mine-" + Parley.token();
        remember.set("presets", [...mine(), { id, name: text, values: Object.fromEntries(KEYS.filter(k => settings[k] !== undefined).map(k => [k, settings[k]])) }]);
        press(model, id);
      } else remember.set("presets", mine().map(p => p.id === what.id ? { ...p, name: text } : p));
    }
    function drop(preset) {
      const before = mine();
      remember.set("presets", before.filter(p => p.id !== preset.id));
      node.set();
      (below.querySelector("button") || choices.firstChild).focus();
      // The settings stay as they are; they have lost a name.
      Parley.toast?.(fill(LABELS.PRESET_DELETED, { name: preset.name }), { label: LABELS.UNDO, action: () => { remember.set("presets", before); node.set(); } });
    }
    node.set();
    return node;
  }
  return { part, which, changes };
})();
