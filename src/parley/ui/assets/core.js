// What every room of the page shares: who the person is, what is remembered in this browser, and
// small tools. Holds no markup of its own.
window.Parley = (() => {
  const memory = new Map();
  const remember = {
    // Browsers may refuse storage (private windows, a full quota); the page then forgets on reload.
    get(key, fallback = null) {
      try {
        const text = localStorage.getItem("parley." + key);
        return text === null ? (memory.get(key) ?? fallback) : JSON.parse(text);
      } catch { return memory.get(key) ?? fallback; }
    },
    set(key, value) {
      memory.set(key, value);
      try {
        if (value === null || value === undefined) localStorage.removeItem("parley." + key);
        else localStorage.setItem("parley." + key, JSON.stringify(value));
      } catch { /* kept in memory above */ }
    },
  };

  const token = () => {
    const bytes = crypto.getRandomValues(new Uint8Array(16));
    return Array.from(bytes, b => b.toString(16).padStart(2, "0")).join("");
  };
  let owner = remember.get("owner");
  if (typeof owner !== "string" || !/^[0-9a-f]{32}$/.test(owner)) {
    owner = token();
    remember.set("owner", owner);
  }

  const el = (tag, props = {}, ...children) => {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(props)) {
      if (value === undefined || value === null || value === false) continue;
      if (key === "class") node.className = value;
      else if (key === "html") node.innerHTML = value;
      else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
      else node.setAttribute(key, value === true ? "" : value);
    }
    node.append(...children.filter(c => c !== null && c !== undefined && c !== false));
    return node;
  };
  const icon = name => el("svg-placeholder", { html: `<svg class="icon" aria-hidden="true"><use href="#i-${name}"/></svg>` }).firstChild;

  // One colour per model, so that two models are told apart at a glance.
  const hue = text => { let h = 7; for (const c of text) h = (h * 31 + c.codePointAt(0)) % 360; return h; };
  const avatar = model => {
    const node = el("span", { class: "avatar", "aria-hidden": "true", style: `--hue:${hue(model.id || model.name)}` });
    if (model.logo_src) node.append(el("img", { src: model.logo_src, alt: "" }));
    else node.append(model.logo_text || model.name.replace(/[^\p{L}\p{N} ]/gu, " ").trim().split(/\s+/).slice(0, 2).map(w => w[0]).join("").toUpperCase());
    return node;
  };

  // Set only what differs: a text that is written anew loses its selection, and is read out again.
  const put = (node, text) => { if (node.textContent !== text) node.textContent = text; };
  const attr = (node, name, value) => {
    const gone = value === null || value === undefined || value === false, text = value === true ? "" : String(value);
    if (gone) { if (node.hasAttribute(name)) node.removeAttribute(name); } else if (node.getAttribute(name) !== text) node.setAttribute(name, text);
  };

  // The text as nodes, in which an https address is a link. What cannot be part of an address
  // ends it, and so does the punctuation of the sentence around it.
  function linked(text) {
    const nodes = [];
    let from = 0;
    for (const found of text.matchAll(/https:\/\/[^\s<>"'`()[\]{}|\\^]+/g)) {
      const address = found[0].replace(/[.,;:!?*]+$/, "");
      if (!URL.canParse(address)) continue;
      nodes.push(text.slice(from, found.index), el("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, address));
      from = found.index + address.length;
    }
    return [...nodes, text.slice(from)].filter(Boolean);
  }

  // A list of rows by key. A row that stays is never moved or made anew, so focus, cursor and scroll
  // stay too; `make` gives a node for an item, `update` brings it up to date.
  function rows(root, items, key, make, update) {
    const had = new Map(Array.from(root.children, node => [node.dataset.key, node])), wanted = new Set(items.map(i => String(key(i))));
    for (const [name, node] of had) if (!wanted.has(name)) node.remove();
    let at = root.firstElementChild;
    for (const item of items) {
      let node = had.get(String(key(item)));
      if (!node) { node = make(item); node.dataset.key = key(item); root.insertBefore(node, at); }
      else if (node === at) at = at.nextElementSibling;
      else root.insertBefore(node, at);
      update(node, item);
    }
  }

  async function copy(text) {
    try { await navigator.clipboard.writeText(text); return; } catch { /* plain http: below */ }
    const area = el("textarea", { style: "position:fixed;opacity:0" });
    area.value = text;
    document.body.append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }

  // A file of the server's, which names it and its type, to wherever the browser keeps such.
  function download({ text, type, name }) {
    const link = el("a", { href: URL.createObjectURL(new Blob([text], { type })), download: name });
    document.body.append(link);
    link.click();
    link.remove();
    setTimeout(() => URL.revokeObjectURL(link.href), 60000); // until a slow disk has it
  }

  // Says for a second that something was done.
  function flash(node, word) {
    const label = node.querySelector("span") || node, old = label.textContent;
    if (old === word) return;
    label.textContent = word; node.classList.add("done");
    setTimeout(() => { label.textContent = old; node.classList.remove("done"); }, 1000);
  }
  // The letter's key was pressed; where the keyboard writes another script, the key at its place.
  const letter = (e, name) => e.key.toLowerCase() === name || (!/^[a-z]$/i.test(e.key) && e.code === "Key" + name.toUpperCase());
  const alive = () => fetch("health", { signal: AbortSignal.timeout(8000) }).then(() => true, () => false);

  const number = n => n.toLocaleString(LANGUAGE);
  // A sentence of the table with its {gaps} filled.
  const fill = (sentence, values) => sentence.replace(/\{(\w+)\}/g, (gap, name) => name in values ? values[name] : gap);

  // What an element with data-act="name" does when it is clicked; every room says its own.
  const acts = new Map();
  const act = (name, run) => { acts.set(name, run); };
  function click(e, root) {
    const node = e.target.closest("[data-act]");
    if (node && root.contains(node) && acts.has(node.dataset.act) && node.getAttribute("aria-disabled") !== "true") acts.get(node.dataset.act)(node, e);
  }

  // Somebody who has signed in is the same person in every browser, and not the one who was here before.
  async function identify() {
    if (!ACCOUNTS) return null;
    let found = null;
    // A server that has only just opened may not know the address yet.
    for (let tries = 0; tries < 10 && !found; tries++) {
      found = await fetch("identity", { signal: AbortSignal.timeout(8000) }).then(r => r.ok ? r.json() : null, () => null);
      if (!found) await new Promise(resolve => setTimeout(resolve, 100));
    }
    found ??= {};
    if (!/^[0-9a-f]{32}$/.test(found.owner || "")) return null;
    owner = found.owner;
    if (remember.get("signed-in") !== owner) {
      for (const key of Object.keys(localStorage)) if (/^parley\.(draft|files|sending)/.test(key)) localStorage.removeItem(key);
      remember.set("signed-in", owner);
    }
    return found.name;
  }

  return { act, click, fill, number, letter, flash, alive, remember, token, identify, get owner() { return owner; }, el, icon, avatar, hue, put, attr, linked, rows, copy, download, models: [], byId: id => Parley.models.find(m => m.id === id) };
})();

// The theme is set before the first paint; Gradio's own switch on <body> is kept in step.
Parley.theme = {
  order: ["system", "light", "dark"],
  get name() { const n = Parley.remember.get("theme", "system"); return this.order.includes(n) ? n : "system"; },
  get dark() { return this.name === "dark" || (this.name === "system" && matchMedia("(prefers-color-scheme: dark)").matches); },
  apply() {
    document.documentElement.classList.toggle("dark", this.dark);
    if (document.body && document.body.classList.contains("dark") !== this.dark) document.body.classList.toggle("dark", this.dark);
    const label = document.querySelector(".parley .theme-name");
    if (label) label.textContent = { system: LABELS.THEME_SYSTEM, light: LABELS.THEME_LIGHT, dark: LABELS.THEME_DARK }[this.name];
  },
  next() { Parley.remember.set("theme", this.order[(this.order.indexOf(this.name) + 1) % 3]); this.apply(); },
  watch() {
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => this.apply());
    new MutationObserver(() => this.apply()).observe(document.body, { attributes: true, attributeFilter: ["class"] });
  },
};
Parley.theme.apply();

// The page is drawn in one language; another one takes effect when it is drawn anew, see language.js.
Parley.language = {
  // Gradio names the browser's language, in which this page may not be.
  watch() {
    const set = () => { if (document.documentElement.lang !== LANGUAGE) document.documentElement.lang = LANGUAGE; };
    set();
    new MutationObserver(set).observe(document.documentElement, { attributes: true, attributeFilter: ["lang"] });
  },
  next() {
    const all = Object.keys(WORDS), label = document.querySelector(".parley .language-name");
    const chosen = all[(all.findIndex(name => WORDS[name].LANGUAGE_NAME === label.textContent) + 1) % all.length];
    Parley.remember.set("language", chosen);
    label.textContent = WORDS[chosen].LANGUAGE_NAME;
    // What would not come back: a chat that is kept nowhere, files that are not sent yet.
    if ((Parley.chats.temporary && Parley.chats.id) || Parley.attach.size) Parley.toast(LABELS.LANGUAGE_LATER);
    else location.reload();
  },
};
