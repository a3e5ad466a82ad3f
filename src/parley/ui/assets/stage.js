// Which room fills the page: a chat, a comparison, the leaderboard, suites. The address says which, so
// that going back, reloading and a link work.
Parley.stage = (() => {
  const rooms = new Map();
  let root, now = null, written = null;

  // A room is told `open(what)`, where `what` is the rest of its address or null, and `close()` when
  // another takes its place. Rooms with a `heading` are named at the top of the page.
  function add(name, room) { rooms.set(name, room); }
  function start(element) {
    root = element;
    addEventListener("hashchange", () => enter());
    for (const node of root.querySelectorAll("[data-act=room]")) node.hidden = !rooms.has(node.dataset.room);
    Parley.act("room", node => { root.classList.remove("side-open"); go(node.dataset.room); });
  }
  const address = () => { const [, name = "c", what = null] = location.hash.match(/^#\/(\w+)(?:\/([\w-]{1,64}))?$/) || []; return { name, what }; };
  // As the address says; for one that means nothing, a new chat.
  function enter() {
    const { name, what } = address();
    if (location.hash === written) return Promise.resolve();
    return Promise.resolve(rooms.has(name) ? go(name, what) : go("c"));
  }
  const go = (name, what = null) => rooms.get(name).open(what);
  // Called by a room that opens: it is what is seen now, under the address `#/as/what`.
  function show(name, what = null, as = name) {
    if (now !== name) rooms.get(now)?.close?.();
    now = name;
    root.dataset.stage = name;
    written = as === "c" && !what ? "" : `#/${as}${what ? "/" + what : ""}`;
    if (location.hash !== written) history.replaceState(null, "", written || location.pathname + location.search);
    for (const node of root.querySelectorAll("[data-act=room]")) Parley.attr(node, "aria-current", node.dataset.room === as ? "page" : null);
    const heading = rooms.get(name).heading;
    if (heading) root.querySelector(".top .title").textContent = heading;
  }
  return { add, start, enter, go, show, address, has: name => rooms.has(name), get now() { return now; } };
})();
