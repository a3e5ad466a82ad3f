// The sidebar's list of chats, newest first under the day they were last touched.
Parley.history = (() => {
  const { el, icon } = Parley;
  let root, chats = [], current = null, armed = null;
  const start = element => { root = element; };
  const day = seconds => {
    const days = Math.floor((new Date().setHours(0, 0, 0, 0) - new Date(seconds * 1000).setHours(0, 0, 0, 0)) / 86400000);
    return days <= 0 ? "Today" : days === 1 ? "Yesterday" : days < 7 ? "This week" : "Earlier";
  };
  function draw() {
    const rows = [];
    let group = null;
    for (const chat of chats) {
      const name = day(chat.updated);
      if (name !== group) rows.push(el("h3", {}, (group = name)));
      rows.push(el("div", { class: "chat", "data-id": chat.id, "aria-current": chat.id === current ? "page" : null },
        el("button", { type: "button", class: "open", "data-act": "open-chat", dir: "auto", title: chat.title }, chat.title || LABELS.NEW_CHAT),
        el("button", { type: "button", class: "bin" + (armed === chat.id ? " sure" : ""), "data-act": "delete-chat", "aria-label": `Delete ${chat.title}` }, armed === chat.id ? "Delete?" : icon("trash"))));
    }
    root.replaceChildren(...(rows.length ? rows : [el("p", { class: "empty" }, "Your chats appear here. They stay on this machine.")]));
  }
  return {
    start,
    set(list) { chats = list; draw(); },
    mark(id) { current = id; draw(); },
    touch(chat) { chats = [chat, ...chats.filter(c => c.id !== chat.id)]; draw(); },
    drop(id) { chats = chats.filter(c => c.id !== id); draw(); },
    // A first click asks, a second one deletes.
    arm(id) { if (armed === id) { armed = null; return true; } armed = id; draw(); setTimeout(() => { if (armed === id) { armed = null; draw(); } }, 4000); return false; },
  };
})();
