// A small menu at a button. One at a time; by keyboard as by hand; a list in it may open another in
// its place.
Parley.menu = (() => {
  const { el, icon } = Parley;
  const SAME = 300; // ms: the press on its own button that closed a menu does not open it again
  const EDGE = 8; // px between the menu and the window
  let box, anchor = null, closed = 0;

  function make() {
    box = el("div", { class: "menu", role: "menu", popover: "auto" });
    document.querySelector(".parley").append(box);
    box.addEventListener("keydown", key);
    box.addEventListener("beforetoggle", e => { if (e.newState === "closed") { closed = Date.now(); anchor.setAttribute("aria-expanded", "false"); } });
    addEventListener("scroll", e => { if (isOpen() && e.target !== box && e.target.contains(anchor)) close(); }, { capture: true, passive: true });
    addEventListener("resize", close);
  }
  const isOpen = () => !!box && box.matches(":popover-open");
  const close = () => { if (isOpen()) box.hidePopover(); };

  // `items`: { icon, text, run } or { icon, text, items }; `bad` marks what takes away.
  function open(button, items) {
    if (!box) make();
    if (anchor === button && Date.now() - closed < SAME) return;
    close();
    anchor = button;
    anchor.setAttribute("aria-expanded", "true");
    box.setAttribute("aria-label", button.getAttribute("aria-label") || button.textContent);
    draw(items);
    box.showPopover();
    place();
    options()[0].focus();
  }
  const options = () => [...box.querySelectorAll("[role=menuitem]")];
  function draw(items, above = null, at = 0) {
    const back = above && el("button", { type: "button", role: "menuitem", class: "back", tabindex: "-1" }, icon("left"), above.text);
    const up = () => { draw(above.items, above.above, above.at); options()[above.at].focus(); };
    back?.addEventListener("click", up);
    box.up = above ? up : null;
    box.replaceChildren(...[back, ...items.map((item, index) => {
      const node = el("button", { type: "button", role: "menuitem", class: item.bad ? "bad" : null, tabindex: "-1", "aria-haspopup": item.items ? "menu" : null }, item.icon ? icon(item.icon) : null, el("span", {}, item.text), item.items ? icon("right") : item.keys ? el("kbd", { "aria-hidden": "true" }, item.keys) : null);
      node.addEventListener("click", () => {
        if (item.items) { draw(item.items, { text: item.text, items, above, at: index + (above ? 1 : 0) }); place(); options()[1].focus(); return; }
        close(); // which gives the focus back to the button
        item.run();
      });
      node.deeper = !!item.items;
      return node;
    })].filter(Boolean));
    options()[at]?.focus();
  }
  // Below the button, its end at the button's end; above where there is no room below.
  function place() {
    const by = anchor.getBoundingClientRect(), { offsetWidth: width, offsetHeight: height } = box;
    const leftward = getComputedStyle(anchor).direction === "rtl";
    const left = leftward ? by.left : by.right - width, below = by.bottom + 4;
    box.style.left = Math.max(EDGE, Math.min(left, innerWidth - width - EDGE)) + "px";
    box.style.top = Math.max(EDGE, below + height > innerHeight - EDGE ? by.top - height - 4 : below) + "px";
  }
  function key(e) {
    const all = options(), at = all.indexOf(document.activeElement), last = all.length - 1;
    const to = { ArrowDown: at === last ? 0 : at + 1, ArrowUp: at <= 0 ? last : at - 1, Home: 0, End: last }[e.key];
    if (to !== undefined) all[to].focus();
    else if (e.key === "ArrowRight" && all[at]?.deeper) all[at].click();
    else if (e.key === "ArrowLeft" && box.up) box.up();
    else if (e.key === "Escape" || e.key === "Tab") close();
    else if (e.key.length === 1 && /\S/.test(e.key) && !e.ctrlKey && !e.metaKey && !e.altKey) [...all.slice(at + 1), ...all].find(n => n.textContent.trim().toLowerCase().startsWith(e.key.toLowerCase()))?.focus();
    else return;
    // Esc would also stop the answer under way.
    e.stopPropagation();
    if (e.key !== "Tab") e.preventDefault();
  }
  return { open, close };
})();
