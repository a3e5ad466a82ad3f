// Where the reader is: a sent message is pinned near the top, the view follows the answer only
// while the reader is at its end, and never fights a hand on the wheel.
Parley.makeScroll = parts => {
  const PINNED = 50, NEAR = 60, FAR = 200;
  const AT_ONCE = 50; // ms in which what came into view has been laid out
  const TRAVEL = 500; // ms a smooth scroll may take; following meanwhile would break it off
  const { box, spacer, button } = parts;
  let follow = true, clearance = 210, arrives = 0, seen = 0, pinned = null;
  const calm = () => matchMedia("(prefers-reduced-motion: reduce), (hover: none)").matches;
  // The end of the text, not of the spacer below it.
  const beyond = () => spacer.offsetTop + clearance - box.scrollTop - box.clientHeight;

  function listen() {
    box.addEventListener("wheel", e => { if (e.deltaY < 0) follow = false; }, { passive: true });
    box.addEventListener("touchmove", () => { follow = false; }, { passive: true });
    box.addEventListener("keydown", e => { if (["PageUp", "ArrowUp", "Home"].includes(e.key)) follow = false; });
    box.addEventListener("keydown", e => { if (e.key === "End" && e.target === box) { e.preventDefault(); settle(); } });
    box.addEventListener("scroll", () => {
      const left = beyond();
      if (left < NEAR && box.scrollTop > seen) follow = true;
      seen = box.scrollTop;
      if (left > FAR) button.hidden = false; else if (left < NEAR) button.hidden = true;
    }, { passive: true });
  }
  function pin(node) {
    if (!node) return;
    follow = true;
    const top = node.offsetTop - PINNED;
    spacer.style.height = Math.max(clearance, box.clientHeight - (spacer.offsetTop - top)) + "px";
    arrives = performance.now() + (calm() ? 0 : TRAVEL);
    box.scrollTo({ top, behavior: calm() ? "instant" : "smooth" });
    // On a long way much came into view that was only guessed at, see `to`.
    pinned = node;
    setTimeout(() => { if (follow && pinned === node && node.isConnected) { box.scrollTop = node.offsetTop - PINNED; grown(); } }, calm() ? AT_ONCE : TRAVEL);
  }
  function grown() { if (follow && performance.now() > arrives && beyond() > 0) box.scrollTop += beyond(); }
  function end() { follow = true; spacer.style.height = ""; box.scrollTop = box.scrollHeight; button.hidden = true; }
  // The end, also when what has come into view turns out taller than it was guessed to be.
  const settle = (frames = 3) => { end(); if (frames) requestAnimationFrame(() => { if (follow) settle(frames - 1); }); };
  const top = () => { spacer.style.height = ""; box.scrollTop = 0; button.hidden = true; };
  // To read on from there: what is being written below does not pull the view along.
  // What has never been in view is only as tall as it was guessed to be; once it has been laid out
  // the place is another.
  function to(node, above, frames = 3) {
    follow = false; spacer.style.height = "";
    box.scrollTop = node.offsetTop - above;
    if (frames) requestAnimationFrame(() => { if (node.isConnected) to(node, above, frames - 1); });
  }
  listen();
  return { pin, grown, end: settle, top, to };
};
