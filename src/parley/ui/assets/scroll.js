// Where the reader is: a sent message is pinned near the top, the view follows the answer only
// while the reader is at its end, and never fights a hand on the wheel.
Parley.scroll = (() => {
  const PINNED = 50, NEAR = 60, FAR = 200;
  let box, spacer, button, follow = true, clearance = 210;
  const calm = () => matchMedia("(prefers-reduced-motion: reduce), (hover: none)").matches;
  // The end of the text, not of the spacer below it.
  const beyond = () => box.scrollHeight - spacer.offsetHeight + clearance - box.scrollTop - box.clientHeight;

  function start(parts) {
    ({ box, spacer, button } = parts);
    box.addEventListener("wheel", e => { if (e.deltaY < 0) follow = false; }, { passive: true });
    box.addEventListener("touchmove", () => { follow = false; }, { passive: true });
    box.addEventListener("keydown", e => { if (["PageUp", "ArrowUp", "Home"].includes(e.key)) follow = false; });
    box.addEventListener("scroll", () => {
      const left = beyond();
      if (left < NEAR) follow = true;
      if (left > FAR) button.hidden = false; else if (left < NEAR) button.hidden = true;
    }, { passive: true });
  }
  function pin(node) {
    if (!node) return;
    follow = true;
    const top = node.offsetTop - PINNED;
    const below = box.scrollHeight - spacer.offsetHeight - top;
    spacer.style.height = Math.max(clearance, box.clientHeight - below) + "px";
    box.scrollTo({ top, behavior: calm() ? "instant" : "smooth" });
  }
  function grown() { if (follow && beyond() > 0) box.scrollTop += beyond(); }
  function end() { follow = true; spacer.style.height = ""; box.scrollTop = box.scrollHeight; button.hidden = true; }
  const top = () => { spacer.style.height = ""; box.scrollTop = 0; button.hidden = true; };
  return { start, pin, grown, end, top };
})();
