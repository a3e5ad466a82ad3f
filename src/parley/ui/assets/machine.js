// The Machine panel: memory and who has it, what is loaded, who waits, what each model has done.
// Patched in place while it is open.
Parley.machine = (() => {
  const { el, icon, avatar, hue, put, attr, rows, live, fill } = Parley;
  const MANY = 8; // other models from which a search field pays
  let sheet, opener, meter, ask, search, oops, asking = false, again = false, last = null;
  const $ = selector => sheet.querySelector(selector);

  function start(given) {
    ({ sheet, opener, ask } = given);
    meter = opener.querySelector(".meter b");
    search = $(".search input"); oops = $(".oops");
    put($(".nothing"), fill(LABELS.NOTHING_LOADED, { button: LABELS.LOAD_NOW }));
    search.addEventListener("input", () => { if (last) others(); });
    // On a phone the button has gone with the sidebar, and the focus would be lost.
    sheet.addEventListener("close", () => { if (!opener.checkVisibility({ visibilityProperty: true })) document.querySelector(".parley .show-side").focus(); });
    sheet.addEventListener("click", e => { if (e.target === sheet) sheet.close(); });
  }
  function open() {
    oops.hidden = true; search.value = "";
    last = null;
    sheet.showModal();
    $(".inside").scrollTop = 0;
    refresh(); live.look();
  }
  async function refresh() {
    again = asking;
    if (asking) return;
    asking = true;
    try { const found = await ask("machine"); if (sheet.open && found && found.devices) draw(found); } catch { /* asked again in a second */ } finally { asking = false; }
    if (again && sheet.open) await refresh();
  }
  // The little meter at the sidebar's foot.
  function usage({ share, text }) {
    meter.style.width = share * 100 + "%";
    const used = text ? fill(LABELS.MEMORY_USED, { text }) : null;
    attr(opener, "title", used);
    attr(opener, "aria-label", used ? `${LABELS.MACHINE}, ${used}` : LABELS.MACHINE);
  }

  const colour = id => `--hue:${hue(id)}`;
  // What a button stands for lives on in another list when its model comes or goes; the focus follows.
  function keepingFocus(change) {
    const had = document.activeElement, id = sheet.contains(had) && had.dataset.model, kind = id && had.classList[0];
    change();
    if (!id || (document.activeElement === had && sheet.contains(had))) return;
    const next = sheet.querySelector(`.${kind}[data-model="${CSS.escape(id)}"]`);
    (next || $("header button")).focus({ preventScroll: true });
  }

  function draw(found) {
    last = found;
    keepingFocus(() => {
      rows($(".devices"), found.devices, d => d.name, device, (node, d) => node.set(d));
      rows($(".loaded"), found.loaded, m => m.id, loaded, (node, m) => node.set(m));
      $(".nothing").hidden = found.loaded.length > 0;
      queue(found.queue);
      others();
      counts(found.counts);
    });
  }
  function device() {
    const name = el("span", { class: "name" }), used = el("span", { class: "used" }), free = el("span", { class: "free" }), stack = el("div", { class: "stack", role: "img" }), legend = el("ul", { class: "legend" });
    const node = el("div", { class: "device" }, el("div", { class: "head" }, name, used, free), stack, legend);
    node.set = d => {
      put(name, d.name); put(used, d.used_text); put(free, d.free_text);
      attr(stack, "aria-label", fill(LABELS.DEVICE_USED, { device: d.name, text: d.used_text }));
      rows(stack, d.parts, p => p.id, p => el("i", { style: colour(p.id) }), (n, p) => { n.style.width = p.share * 100 + "%"; attr(n, "class", p.state); attr(n, "title", `${p.name}, ${p.text}`); });
      rows(legend, d.parts, p => p.id, p => el("li", {}, el("i", { style: colour(p.id), "aria-hidden": "true" }), el("span"), el("b")), (n, p) => { put(n.children[1], p.name); put(n.children[2], p.text); });
      legend.hidden = !d.parts.length;
    };
    return node;
  }
  function loaded(model) {
    const parts = live.parts(), name = el("span", { class: "name" }), line = el("span", { class: "line" }), status = el("span"), more = el("span", { class: "more" });
    const pin = el("button", { type: "button", class: "pin", "data-act": "pin", "data-model": model.id }, icon("pin"));
    line.append(parts.dot, status);
    const node = el("li", { class: "item" }, avatar(Parley.byId(model.id) || model), el("div", { class: "what" }, name, line, more, parts.bar), el("div", { class: "do" }, pin, parts.button));
    node.set = m => {
      put(name, m.name);
      put(status, m.state === "ready" && m.idle ? m.idle[0].toUpperCase() + m.idle.slice(1) : m.status);
      const measured = m.measured ? fill(LABELS.RESERVED_USED, { size: m.size, used: m.measured }) : m.size;
      put(more, [measured, m.dtype, m.ttl].filter(Boolean).join(" · "));
      parts.set({ ...m, error: null, problem: null });
      attr(pin, "aria-pressed", String(m.pinned));
      attr(pin, "aria-label", `${LABELS.PIN}: ${m.name}`);
      attr(pin, "title", m.pinned ? LABELS.PINNED_WHAT : LABELS.PIN_WHAT);
      if (m.leases && m.state === "answering") attr(parts.button, "title", m.leases > 1 ? fill(LABELS.UNLOADS_AFTER_MANY, { count: m.leases }) : LABELS.UNLOADS_AFTER_ONE);
    };
    return node;
  }
  function queue(found) {
    const box = $(".waiting");
    box.hidden = !found.depth && !found.models.length;
    if (box.hidden) return;
    put($(".depth"), found.depth ? fill(LABELS.QUEUE_MEMORY, { count: found.depth, time: found.oldest }) : LABELS.QUEUE_OTHER);
    rows($(".queue"), found.models, m => m.id, m => {
      const place = el("span", { class: "place" }), name = el("span", { class: "name" }), wait = el("span", { class: "more" }), go = el("button", { type: "button", class: "go" });
      const node = el("li", { class: "item" }, place, el("div", { class: "what" }, name, wait), el("div", { class: "do" }, go));
      node.set = q => {
        put(place, q.place ? String(q.place) : "·"); put(name, q.name);
        const requests = Parley.sheets.count(q.waiting, LABELS.REQUEST_ONE, LABELS.REQUEST_MANY);
        put(wait, q.state === "queued" ? requests : fill(q.state === "answering" ? LABELS.UNTIL_ANSWERED : LABELS.UNTIL_LOADED, { requests }));
        // Loads and answers under way have their button above.
        go.hidden = q.state !== "queued";
        live.setButton(go, { id: q.id, name: q.name, state: "queued" });
      };
      return node;
    }, (node, q) => node.set(q));
  }
  function others() {
    // By the same reply as the lists above, so that a model stands in one of them at any time.
    const above = new Set([...last.loaded, ...last.queue.models].map(m => m.id)), rest = Parley.models.filter(m => !above.has(m.id));
    const asked = search.value.toLowerCase().trim();
    search.parentElement.hidden = rest.length <= MANY && !asked;
    const found = rest.filter(m => `${m.name} ${m.id}`.toLowerCase().includes(asked));
    rows($(".others"), found, m => m.id, m => {
      const parts = live.parts(), name = el("span", { class: "name" });
      const node = el("li", { class: "item" }, avatar(m), el("div", { class: "what" }, name, parts.facts, parts.why), el("div", { class: "do" }, parts.button));
      node.set = now => { put(name, now.name); parts.set(now); node.classList.toggle("cannot", live.cannot(now)); };
      return node;
    }, (node, m) => node.set(m));
    $(".none").hidden = found.length > 0;
    put($(".none"), asked ? LABELS.NO_MODEL : LABELS.ALL_LOADED);
  }
  function counts(list) {
    $(".counted").hidden = !list.length;
    rows($(".counted tbody"), list, c => c.id, () => el("tr", {}, el("th", { scope: "row" }, el("span"), el("small")), ...Array.from({ length: 6 }, () => el("td"))), (node, c) => {
      const [name, ...cells] = node.children;
      put(name.firstChild, c.name);
      put(name.lastChild, [c.failed && fill(LABELS.COUNT_FAILED, { count: c.failed }), c.stopped && fill(LABELS.COUNT_STOPPED, { count: c.stopped })].filter(Boolean).join(", "));
      [String(c.answers), c.tokens ? Parley.number(c.tokens) : "", c.speed, c.ttft, c.loads ? String(c.loads) : "", c.load].forEach((text, i) => put(cells[i], text || "–"));
    });
  }
  function complain(error) { oops.replaceChildren(el("strong", {}, error.sentence), " ", ...Parley.linked(error.fix)); oops.hidden = false; }

  return { start, open, usage, complain, refresh() { if (sheet.open) refresh(); }, redraw() { if (sheet.open && last) keepingFocus(others); }, close: () => sheet.close(), get isOpen() { return sheet.open; } };
})();
