// What the reader thinks of an answer: a thumb, and where she likes a reason and a note. The thumb is
// kept at once; the rest when she says so.
Parley.feedback = (() => {
  const { el, attr } = Parley;
  const REASONS = {
    1: { correct: LABELS.REASON_CORRECT, helpful: LABELS.REASON_HELPFUL, clear: LABELS.REASON_CLEAR, well_written: LABELS.REASON_WELL_WRITTEN },
    [-1]: { incorrect: LABELS.REASON_INCORRECT, unhelpful: LABELS.REASON_UNHELPFUL, off_topic: LABELS.REASON_OFF_TOPIC, repetitive: LABELS.REASON_REPETITIVE, too_long: LABELS.REASON_TOO_LONG, refused: LABELS.REASON_REFUSED, harmful: LABELS.REASON_HARMFUL },
  };
  const NONE = { value: 0, reasons: [], note: "" };
  const MOST = 2000; // characters of a note

  const of = message => message.mark?.feedback || NONE;
  const words = given => !given ? "" : [...given.reasons.map(r => REASONS[given.value]?.[r] || r), given.note].filter(Boolean).join(" · ");

  async function keep(message, feedback) {
    const before = of(message), id = message.dataset.id, talk = Parley.talks.of(message);
    Parley.messages.outdate(talk);
    talk.transcript.mark(id, { ...message.mark, feedback });
    const lost = Parley.toast.failed(await talk.ask("feedback", { message: id, ...feedback }));
    if (lost) talk.transcript.mark(id, { ...message.mark, feedback: before });
    Parley.messages.refresh(talk);
    return !lost;
  }

  function thumb(button) {
    const message = button.closest(".msg"), value = +button.dataset.value;
    if (of(message).value === value) { close(message); keep(message, NONE); return; }
    keep(message, { ...NONE, value });
    open(message);
  }

  function open(message) {
    const { rating } = message.parts, given = of(message), kinds = REASONS[given.value];
    if (!kinds) return;
    const note = el("textarea", { rows: 2, maxlength: MOST, dir: "auto", placeholder: LABELS.FEEDBACK_NOTE, "aria-label": LABELS.FEEDBACK_NOTE });
    note.value = given.note;
    const chips = Object.entries(kinds).map(([name, label]) => {
      const box = el("input", { type: "checkbox", value: name });
      box.checked = given.reasons.includes(name);
      return el("label", { class: "chip" }, box, el("span", {}, label));
    });
    const form = el("form", { "aria-label": LABELS.YOUR_FEEDBACK },
      el("fieldset", {}, el("legend", {}, given.value > 0 ? LABELS.WHAT_WAS_GOOD : LABELS.WHAT_WAS_BAD), ...chips), note,
      el("div", { class: "row" }, el("span", { class: "grow" }), el("button", { type: "button", class: "plain", onclick: () => shut(message) }, LABELS.CLOSE), el("button", { type: "submit", class: "primary" }, LABELS.SAVE)));
    form.addEventListener("submit", async e => {
      e.preventDefault();
      const reasons = chips.map(c => c.firstChild).filter(c => c.checked).map(c => c.value);
      if (await keep(message, { value: given.value, reasons, note: note.value.trim() })) shut(message);
    });
    form.addEventListener("keydown", e => {
      if (e.key === "Escape") { e.preventDefault(); e.stopPropagation(); shut(message); }
      if (e.key === "Enter" && (e.ctrlKey || e.metaKey)) { e.preventDefault(); form.requestSubmit(); }
    });
    rating.replaceChildren(form);
    rating.hidden = false;
    rating.scrollIntoView({ block: "nearest" }); // it may have opened below the edge
  }
  function close(message) { message.parts.rating.hidden = true; message.parts.rating.replaceChildren(); }
  // As close, by the reader: the focus goes back to her thumb.
  function shut(message) { close(message); message.querySelector(".thumb[aria-pressed=true]")?.focus({ preventScroll: true }); }

  return { thumb, open, words };
})();
