// Where the reader is: a sent message is pinned near the top, the view follows the answer only
// while the reader is at its end, and never fights a hand on the wheel.
Parley.scroll = (() => {
  const PINNED = 50, NEAR = 60, FAR = 200;
  const TRAVEL = 500; // ms a smooth scroll may take; following meanwhile would break it off
  let box, spacer, button, follow = true, clearance = 210, arrives = 0, seen = 0;
  const calm = () => matchMedia("(prefers-reduced-motion: reduce), (hover: none)").matches;
  // The end of the text, not of the spacer below it.
  const beyond = () => spacer.offsetTop + clearance - box.scrollTop - box.clientHeight;

  function start(parts) {
    ({ box, spacer, button } = parts);
    box.addEventListener("wheel", e => { if (e.deltaY < 0) follow = false; }, { passive: true });
    box.addEventListener("touchmove", () => { follow = false; }, { passive: true });
    box.addEventListener("keydown", e => { if (["PageUp", "ArrowUp", "Home"].includes(e.key)) follow = false; });
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
  }
  function grown() { if (follow && performance.now() > arrives && beyond() > 0) box.scrollTop += beyond(); }
  function end() { follow = true; spacer.style.height = ""; box.scrollTop = box.scrollHeight; button.hidden = true; }
  const top = () => { spacer.style.height = ""; box.scrollTop = 0; button.hidden = true; };
  return { start, pin, grown, end, top };
})();
