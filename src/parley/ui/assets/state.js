// What is so at this moment: each model's live state, and what a person can do about it. Drawn alike
// in the picker, on the welcome card and in the Machine panel.
Parley.live = (() => {
  const { el, icon, put, attr, linked, fill } = Parley;
  const WORDS = { queued: LABELS.STATE_QUEUED, downloading: LABELS.STATE_DOWNLOADING, loading: LABELS.STATE_LOADING, ready: LABELS.STATE_READY, answering: LABELS.STATE_ANSWERING, draining: LABELS.STATE_UNLOADING, unloading: LABELS.STATE_UNLOADING, failed: LABELS.STATE_FAILED };
  const COMING = new Set(["queued", "downloading", "loading"]);
  const MOVING = new Set([...COMING, "draining", "unloading"]);
  const HERE = new Set(["ready", "answering", "draining", "unloading"]);
  const TWICE = 500;  // ms in which a second press is a slip: the button means something else by then
  const HURRY = 3000; // ms after a press during which the states are asked every second
  let ask, news, report, ear, asking = false, again = false, hurry = 0, ticks = 0, heard = null;
  const pressed = new Map();

  function start(given) { ({ ask, news, report, ear } = given); }

  // -- asking --
  // One question at a time: a slow server is not asked faster than it answers.
  async function look() {
    again = asking;
    if (asking) return;
    asking = true;
    try { const found = await ask("states"); if (found && found.models) news(found); } catch { /* the next tick asks again */ } finally { asking = false; }
    if (again) await look();
  }
  // What is in memory changes by other people's doing too, and the catalogue by an edited file.
  function tick(close) {
    if (close || Date.now() < hurry || Parley.models.some(m => MOVING.has(m.state)) || ++ticks % 5 === 0) look();
  }
  function take(found) {
    for (const model of Parley.models) Object.assign(model, found.models[model.id]);
  }
  async function act(name, id, more = {}) {
    const button = name === "pin" ? "pin " + id : id; // the pin is a button of its own
    if (!id || Date.now() - (pressed.get(button) || 0) < TWICE) return;
    pressed.set(button, Date.now());
    hurry = Date.now() + HURRY;
    const reply = await ask(name, { model: id, ...more }).catch(() => ({ error: { sentence: LABELS.NO_SERVER_WHAT, fix: LABELS.NO_SERVER_FIX } }));
    if (reply.error) report(reply.error);
    await look();
  }

  // Said aloud when the current model comes, goes or fails; not at every percent, not for others.
  function announce(model) {
    const now = COMING.has(model.state) ? model.state : HERE.has(model.state) ? "here" : model.state, before = heard;
    heard = { id: model.id, now };
    if (!before || before.id !== model.id || before.now === now) return;
    const said = { queued: LABELS.SAID_QUEUED, downloading: LABELS.SAID_DOWNLOADING, loading: LABELS.SAID_LOADING, here: LABELS.SAID_HERE, cold: before.now === "here" ? LABELS.SAID_COLD : LABELS.SAID_CANCELLED, failed: LABELS.SAID_FAILED }[now];
    const why = model.error ? model.error.sentence : "";
    if (!why || !ear.textContent.includes(why)) put(ear, `${fill(said, { model: model.name })} ${why}`.trim());
  }

  // -- drawing --
  const word = model => WORDS[model.state] || "";
  const cannot = model => !HERE.has(model.state) && (model.fit?.kind === "too_large" || (!!model.problem && !model.disk?.here));
  function facts(model) {
    if (model.state === "failed") return [];
    if (model.state !== "cold") return [{ text: model.status }];
    return [
      model.disk && { icon: model.disk.here ? "drive" : "fetch", text: model.disk.text },
      model.fit?.text && { icon: "chip", text: model.fit.text },
      model.gate && { icon: "key", text: model.gate.text },
    ].filter(Boolean);
  }
  const trouble = model => model.error || (model.state === "cold" ? model.problem : null);
  function action(model) {
    // A problem's fix speaks of Retry. What is too large stays so: no press helps.
    const large = model.fit?.kind === "too_large";
    if (model.state === "cold") return { act: "load-now", text: model.problem ? LABELS.RETRY : LABELS.LOAD_NOW, off: large, hint: large ? model.fit.text : null };
    if (model.state === "failed") return { act: "load-now", text: LABELS.RETRY };
    if (COMING.has(model.state)) return { act: "unload", text: LABELS.CANCEL };
    const after = model.state === "answering" || model.state === "draining";
    return { act: "unload", text: LABELS.UNLOAD_NOW, off: model.state === "draining" || model.state === "unloading", hint: after ? LABELS.ANSWERS_END_FIRST : null };
  }

  function dot(node, model) {
    attr(node, "class", "dot " + model.state + (COMING.has(model.state) && model.progress !== null ? " known" : ""));
    attr(node, "style", model.progress === null ? null : `--p:${model.progress}`);
  }
  const bar = () => el("i", { class: "bar", role: "progressbar", "aria-valuemin": 0, "aria-valuemax": 100 }, el("b"));
  function setBar(node, on, progress, label, text) {
    node.hidden = !on;
    if (!on) return;
    const known = progress !== null && progress !== undefined;
    node.classList.toggle("unknown", !known);
    node.firstChild.style.width = known ? progress * 100 + "%" : "";
    attr(node, "aria-label", label); attr(node, "aria-valuetext", text);
    attr(node, "aria-valuenow", known ? Math.round(progress * 100) : null);
  }
  function setButton(node, model) {
    const { act: name, text, off = false, hint = null } = action(model);
    put(node, text);
    attr(node, "data-act", name); attr(node, "data-model", model.id); attr(node, "title", hint);
    attr(node, "aria-label", `${text}: ${model.name}`);
    // Not `disabled`, which would take the focus away under a person's fingers.
    attr(node, "aria-disabled", off || null);
  }

  // The parts of one model's state; whoever asks puts them where they belong.
  function parts() {
    const made = {
      dot: el("span", { class: "dot", "aria-hidden": "true" }), word: el("span", { class: "word" }), facts: el("span", { class: "facts" }),
      why: el("p", { class: "why" }), bar: bar(), button: el("button", { type: "button", class: "go" }),
    };
    made.set = model => {
      dot(made.dot, model); put(made.word, word(model)); setButton(made.button, model);
      const list = facts(model), key = JSON.stringify(list);
      if (made.facts.key !== key) {
        made.facts.key = key;
        made.facts.replaceChildren(...list.map(f => el("span", { class: "fact" }, f.icon ? icon(f.icon) : null, f.text)));
      }
      made.facts.hidden = !list.length;
      const wrong = trouble(model), said = wrong ? wrong.sentence + wrong.fix : "";
      if (made.why.said !== said) {
        made.why.said = said;
        made.why.replaceChildren(...(wrong ? [el("strong", {}, wrong.sentence), " ", ...linked(wrong.fix)] : []));
      }
      made.why.hidden = !wrong; made.why.classList.toggle("bad", model.state === "failed");
      setBar(made.bar, model.state === "downloading" || model.state === "loading", model.progress, fill(LABELS.LOADING_MODEL, { name: model.name }), model.status);
    };
    return made;
  }
  return { start, look, tick, take, act, announce, parts, dot, bar, setBar, setButton, action, cannot, facts, word, coming: m => COMING.has(m.state), settled: m => ["cold", "ready", "answering"].includes(m.state) };
})();
