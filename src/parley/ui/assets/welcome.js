// The first thing a person sees: the current model's card and what to ask it.
Parley.welcome = (() => {
  const { el, icon, avatar } = Parley;
  let root;
  const start = element => { root = element; };
  function show(model) {
    if (!model) return;
    const state = model.state === "ready" ? [el("span", { class: "dot ready" }), "In memory"]
      : model.state === "loading" ? [el("span", { class: "dot loading" }), model.status || "Loading"]
      : [el("button", { type: "button", "data-act": "load-now" }, LABELS.LOAD_NOW)];
    root.replaceChildren(
      el("div", { class: "hello" },
        el("div", { class: "about" }, el("span", { html: '<svg class="icon mark" aria-hidden="true"><use href="#i-mark"/></svg>' }).firstChild, el("div", {}, el("h2", {}, LABELS.APP), el("p", {}, "Chat with open models on hardware you control."))),
        el("div", { class: "card" },
          el("div", { class: "main" },
            el("div", { class: "label" }, LABELS.CURRENT_MODEL),
            el("div", { class: "name" }, avatar(model), model.name, el("button", { type: "button", class: "round", "data-act": "settings", "aria-label": LABELS.SETTINGS }, icon("sliders"))),
            el("p", { class: "text" }, model.description),
            model.notice ? el("p", { class: "notice" }, model.notice) : null,
            model.error ? el("p", { class: "notice" }, model.error) : null,
            el("div", { class: "chips" }, ...model.chips.map(c => el("span", { class: "chip" + (c.open ? " open" : ""), title: c.title }, c.text)))),
          el("div", { class: "strip" }, ...model.links.map(l => el("a", { href: l.url, target: "_blank", rel: "noopener noreferrer" }, l.label, icon("external"))), el("span", { class: "state", role: "status" }, ...state)))),
      model.examples.length ? el("div", { class: "examples" }, el("h3", {}, LABELS.EXAMPLES),
        el("div", {}, ...model.examples.map(text => el("button", { type: "button", "data-act": "example", dir: "auto" }, text)))) : el("div"));
  }
  return { start, show };
})();
