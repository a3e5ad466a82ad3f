// What stands on the leaderboard: figures of all votes, then for each group of models that met the
// ranks, the ratings with their intervals, and who beats whom. Data in, nodes out.
Parley.standings = (() => {
  const { el, fill, number, avatar } = Parley;
  const STEPS = [20, 50, 100, 200, 400, 1000, 2000]; // rating points between two marks
  const MARKS = 6; // at most
  const MIDDLE = 1000; // what the ratings of a group are about

  const share = x => x.toLocaleString(LANGUAGE, { style: "percent", maximumFractionDigits: 0 });
  const range = e => `${Math.round(e.low * 100)}–${share(e.high)}`;
  const points = x => number(Math.round(x));
  const known = id => Parley.byId(id) || { id, name: id };
  const name = id => known(id).name;

  function draw(board) {
    const several = board.groups.length > 1;
    return [figures(board),
      ...board.groups.flatMap((group, i) => [several && i === 1 ? el("p", { class: "apart" }, LABELS.BOARD_APART) : null, standing(group, i, several)]),
      looks(board.style),
      el("p", { class: "note" }, board.facets.leaked ? fill(LABELS.BOARD_LEAKED, { count: number(board.facets.leaked) }) + " " : "", LABELS.BOARD_NOTE)].filter(Boolean);
  }

  // -- of all votes --
  function figures({ counts, tie_rate, both_bad_rate, left_share }) {
    const tile = (label, value, more, title) => el("div", { class: "tile", title }, el("dt", {}, label), el("dd", {}, el("b", {}, value), more ? el("small", {}, more) : ""));
    return el("dl", { class: "tiles" },
      tile(LABELS.BOARD_VOTES, number(counts.rated), counts.people ? fill(LABELS.BOARD_PEOPLE, { count: number(counts.people) }) : "", LABELS.BOARD_VOTES_WHAT),
      tile(LABELS.BOARD_TIES, share(tie_rate.value), range(tie_rate), LABELS.BOARD_TIES_WHAT),
      tile(LABELS.BOARD_BOTH_BAD, share(both_bad_rate.value), range(both_bad_rate), LABELS.BOARD_BOTH_BAD_WHAT),
      left_share && tile(LABELS.BOARD_LEFT, share(left_share.value), range(left_share), LABELS.BOARD_LEFT_WHAT));
  }

  // -- one group --
  function standing(found, index, several) {
    // Without enough votes for ranks no order is told by where a model stands, either.
    const group = found.enough ? found : { ...found, rows: [...found.rows].sort((a, b) => name(a.model).localeCompare(name(b.model), LANGUAGE)) };
    const alone = group.rows.length < 2, id = "parley-board-" + index;
    const section = el("section", { class: "standing", "aria-labelledby": id });
    section.append(el("h2", { id }, several ? fill(LABELS.BOARD_GROUP, { number: index + 1 }) : LABELS.BOARD_RATINGS));
    if (!alone && !group.enough) section.append(few(group));
    section.append(ratings(group, id));
    if (!alone) section.append(...pairs(group, id));
    return section;
  }
  function few(group) {
    return el("div", { class: "few" }, el("p", {}, el("strong", {}, fill(LABELS.BOARD_FEW, { votes: number(group.votes), needed: number(group.needed) })), " ", LABELS.BOARD_FEW_WHAT),
      el("progress", { max: group.needed, value: Math.min(group.votes, group.needed), "aria-label": LABELS.BOARD_VOTES }));
  }
  // A table that a phone shows as a list: the roles say that it is a table all the same.
  function ratings(group, id) {
    const scale = scaled(group.rows), head = (text, kind, title) => el("th", { scope: "col", role: "columnheader", class: kind, title }, text);
    return el("table", { class: "ratings", role: "table", "aria-labelledby": id },
      el("thead", { role: "rowgroup" }, el("tr", { role: "row" }, head(LABELS.BOARD_RANK, "rank", LABELS.BOARD_RANK_WHAT), head(LABELS.PICKER, "model"), head(LABELS.BOARD_RATING, "rating", LABELS.BOARD_RATING_WHAT), el("td", { role: "presentation", class: "plot" }, axis(scale)), head(LABELS.BOARD_VOTES, "votes"), head(LABELS.BOARD_RECORD, "record", LABELS.BOARD_RECORD_WHAT), head(LABELS.BOARD_BOTH_BAD, "both", LABELS.BOARD_BOTH_BAD_MODEL))),
      el("tbody", { role: "rowgroup" }, ...group.rows.map(row => line(row, group, scale))));
  }
  function line(row, group, scale) {
    const cell = (kind, ...inside) => el("td", { role: "cell", class: kind }, ...inside), around = Math.round(row.rating.high - row.rating.value);
    const rank = row.best === null ? "–" : row.best === row.worst ? String(row.best) : `${row.best}–${row.worst}`;
    const all = row.wins + row.ties + row.losses, model = known(row.model);
    return el("tr", { role: "row", class: row.enough ? null : "early", "data-model": row.model },
      el("td", { role: "cell", class: "rank", title: row.enough ? LABELS.BOARD_RANK_WHAT : LABELS.BOARD_EARLY }, rank),
      el("th", { scope: "row", role: "rowheader", class: "model" }, el("span", { class: "who" }, avatar(model), el("span", { dir: "auto" }, model.name))),
      cell("rating", el("b", {}, points(row.rating.value)), around ? el("small", {}, ` ± ${number(around)}`) : ""),
      el("td", { role: "presentation", class: "plot" }, whisker(row, scale)),
      cell("votes", el("span", { class: "what" }, LABELS.BOARD_VOTES), number(row.votes)),
      el("td", { role: "cell", class: "record", title: fill(LABELS.BOARD_WTL, { wins: row.wins, ties: row.ties, losses: row.losses }) },
        el("span", { class: "split", "aria-hidden": "true" }, ...["wins", "ties", "losses"].map(kind => { const part = el("i", { class: kind }); part.style.flexGrow = all ? row[kind] / all : 0; return part; })),
        el("span", { class: "counts" }, `${number(row.wins)} / ${number(row.ties)} / ${number(row.losses)}`)),
      cell("both", el("span", { class: "what" }, LABELS.BOARD_BOTH_BAD), el("span", { class: "rate" }, share(row.both_bad_rate.value)), " ", el("small", {}, range(row.both_bad_rate))));
  }

  // -- the plot: one axis for all rows of a group --
  function scaled(rows) {
    let low = Math.min(...rows.map(r => r.rating.low)), high = Math.max(...rows.map(r => r.rating.high));
    const room = Math.max(20, (high - low) * .06);
    low -= room; high += room;
    const step = STEPS.find(s => (high - low) / s <= MARKS) || STEPS.at(-1), marks = [];
    for (let at = Math.ceil(low / step) * step; at <= high; at += step) marks.push(at);
    return { marks, at: x => ((x - low) / (high - low) * 100).toFixed(2) + "%" };
  }
  const marked = mark => "mark" + (mark === MIDDLE ? " middle" : "");
  const svg = (kind, inside) => el("span", { class: kind, "aria-hidden": "true", html: `<svg width="100%" height="100%">${inside}</svg>` });
  const axis = ({ marks, at }) => svg("axis", marks.map(m => `<text class="${marked(m)}" x="${at(m)}" y="12" text-anchor="middle">${m}</text>`).join(""));
  function whisker({ rating: r }, { marks, at }) {
    return svg("whisker", marks.map(m => `<line class="${marked(m)}" x1="${at(m)}" x2="${at(m)}" y1="0" y2="100%"/>`).join("")
      + `<line class="span" x1="${at(r.low)}" x2="${at(r.high)}" y1="50%" y2="50%"/>`
      + [r.low, r.high].map(x => `<line class="end" x1="${at(x)}" x2="${at(x)}" y1="35%" y2="65%"/>`).join("")
      + `<circle cx="${at(r.value)}" cy="50%" r="4.5"/>`);
  }

  // -- who beats whom --
  function pairs(group, id) {
    const models = group.rows.map(r => r.model), found = new Map();
    for (const p of group.pairs) {
      found.set(p.first + "\n" + p.second, { share: p.share, votes: p.votes, wins: p.wins, ties: p.ties, losses: p.losses, both_bad: p.both_bad });
      found.set(p.second + "\n" + p.first, { share: { value: 1 - p.share.value, low: 1 - p.share.high, high: 1 - p.share.low }, votes: p.votes, wins: p.losses, ties: p.ties, losses: p.wins, both_bad: p.both_bad });
    }
    const cell = (row, column) => {
      if (row === column) return el("td", { class: "self" });
      const p = found.get(row + "\n" + column);
      const said = fill(LABELS.BOARD_PAIR, { row: name(row), column: name(column), share: share(p.share.value), range: range(p.share) }) + " " + (p.votes ? fill(LABELS.BOARD_PAIR_VOTES, { votes: number(p.votes), wins: p.wins, ties: p.ties, losses: p.losses, both_bad: p.both_bad }) : LABELS.BOARD_NEVER_MET);
      const node = el("td", { class: p.votes ? p.share.value >= .5 ? "ahead" : "behind" : "never", title: said }, el("b", {}, share(p.share.value)), el("small", {}, p.votes ? number(p.votes) : "–"));
      node.style.setProperty("--strength", Math.min(1, Math.abs(p.share.value - .5) * 2).toFixed(3));
      return node;
    };
    return [el("h3", { id: id + "-pairs" }, LABELS.BOARD_PAIRS), el("p", { class: "soft" }, LABELS.BOARD_PAIRS_WHAT),
      el("div", { class: "scrolls", tabindex: "0", role: "region", "aria-labelledby": id + "-pairs" },
        el("table", { class: "pairs" },
          el("thead", {}, el("tr", {}, el("td"), ...models.map(m => el("th", { scope: "col", title: name(m) }, avatar(known(m)), el("span", { dir: "auto" }, name(m)))))),
          el("tbody", {}, ...models.map(row => el("tr", {}, el("th", { scope: "row", title: name(row) }, avatar(known(row)), el("span", { dir: "auto" }, name(row))), ...models.map(column => cell(row, column)))))))];
  }

  // -- what looks are worth --
  function looks(style) {
    // What never differed between two answers is worth an exact nothing.
    const told = style.filter(e => e.points.value !== 0);
    if (!told.length) return null;
    const words = { tokens: LABELS.BOARD_LENGTH, headers: LABELS.BOARD_HEADERS, lists: LABELS.BOARD_LISTS, bold: LABELS.BOARD_BOLD };
    const signed = x => (x > 0 ? "+" : "") + points(x);
    return el("section", { class: "standing", "aria-labelledby": "parley-board-looks" }, el("h2", { id: "parley-board-looks" }, LABELS.BOARD_LOOKS), el("p", { class: "soft" }, LABELS.BOARD_LOOKS_WHAT),
      el("dl", { class: "tiles" }, ...told.map(e => el("div", { class: "tile" }, el("dt", {}, words[e.feature]), el("dd", {}, el("b", {}, signed(e.points.value)), el("small", {}, `± ${points(e.points.high - e.points.value)}`))))));
  }
  return { draw };
})();
