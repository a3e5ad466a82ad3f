// The first thing a person sees: the current model's card and what to ask it.
Parley.welcome = (() => {
  const { el, icon, avatar, put, live } = Parley;
  let root, shown = null, parts, status;
  const start = element => { root = element; };

  // Built once for a model; its live state is patched, so that a focused button keeps the focus.
  function show(model) {
    if (!model) return;
    if (shown !== model) { shown = model; build(model); }
    parts.set(model);
    put(status, model.state === "cold" ? "" : model.status);
    parts.dot.hidden = model.state === "cold";
    // What the strip below says already.
    if (model.state !== "cold") parts.facts.hidden = true;
  }
  function build(model) {
    parts = live.parts();
    status = el("span", { class: "status-line" });
    root.replaceChildren(
      el("div", { class: "hello" },
        el("div", { class: "about" }, el("span", { html: '<svg class="icon mark" aria-hidden="true"><use href="#i-mark"/></svg>' }).firstChild, el("div", {}, el("h2", {}, LABELS.APP), el("p", {}, LABELS.WELCOME))),
        el("div", { class: "card" },
          el("div", { class: "main" },
            el("div", { class: "label" }, LABELS.CURRENT_MODEL),
            el("div", { class: "name" }, avatar(model), el("span", {}, model.name), el("button", { type: "button", class: "round", "data-act": "settings", "aria-label": LABELS.SETTINGS }, icon("sliders"))),
            el("p", { class: "text" }, model.description),
            model.notice ? el("p", { class: "notice" }, model.notice) : null,
            el("div", { class: "chips" }, ...model.chips.map(c => el("span", { class: "chip" + (c.open ? " open" : ""), title: c.title }, c.text))),
            parts.facts, parts.why),
          el("div", { class: "strip" }, parts.bar, ...model.links.map(l => el("a", { href: l.url, target: "_blank", rel: "noopener noreferrer" }, l.label, icon("external"))),
            el("span", { class: "state" }, parts.dot, status, parts.button)))),
      model.examples.length ? el("div", { class: "examples" }, el("h3", {}, LABELS.EXAMPLES),
        el("div", {}, ...model.examples.map(text => el("button", { type: "button", "data-act": "example", dir: "auto" }, text)))) : el("div"));
    parts.why.classList.add("notice");
  }
  return { start, show };
})();
