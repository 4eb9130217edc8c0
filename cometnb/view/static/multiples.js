// The live small multiples of a sweep: one message holds whatever is new in all of them.
//
// `sweep` is the state so far; the kernel keeps it whole without sending it, so that a page that was reloaded asks for
// it and goes on. Each message carries a number: what the state already holds is not applied twice. Of a cell's open
// tail only what has changed travels: how much of it stays, and what is added to that.
// The only HTML inserted is what the kernel has sanitised (`blocks`, `tail`); all else is text.

const ENDS = ["done", "failed"];

export default {
  initialize({ model }) {
    model.get("sweep").since = performance.now();
    model.on("msg:custom", (message) => {
      const sweep = model.get("sweep");
      if (message.n <= sweep.n) return;
      sweep.n = message.n;
      for (const [place, news] of Object.entries(message.cells || {})) {
        const cell = sweep.cells[place];
        cell.blocks.push(...(news.blocks || []));
        if (news.keep !== undefined) cell.tail = cell.tail.slice(0, news.keep) + news.add;
        for (const name of ["line", "state"]) if (news[name] !== undefined) cell[name] = news[name];
      }
      for (const name of ["foot", "is_done"]) if (message[name] !== undefined) sweep[name] = message[name];
    });
    model.on("comm_live_update", () => cutOff(model.get("sweep")));
  },

  render({ model, el }) {
    const sweep = model.get("sweep");
    const view = build(el, model, sweep);
    let shown = sweep.n;
    for (const [place, cell] of Object.entries(sweep.cells)) show(view, place, cell, cell.tail);
    const onMessage = (message) => {
      if (message.n <= shown) return;
      shown = message.n;
      for (const [place, news] of Object.entries(message.cells || {}))
        show(view, place, news, news.keep === undefined ? undefined : model.get("sweep").cells[place].tail);
      tick(view, model.get("sweep"));
      keepHeight(view);
    };
    const onCut = () => {
      for (const [place, { line, state }] of Object.entries(model.get("sweep").cells))
        if (state === "cut") show(view, place, { line, state });
      tick(view, model.get("sweep"));
    };
    model.on("msg:custom", onMessage);
    model.on("comm_live_update", onCut);
    const clock = setInterval(() => tick(view, model.get("sweep")), 250);
    tick(view, sweep);
    return () => {
      model.off("msg:custom", onMessage);
      model.off("comm_live_update", onCut);
      clearInterval(clock);
      holdPlace(view);
    };
  },
};

function cutOff(sweep) {
  if (sweep.is_done) return;
  Object.assign(sweep, { is_done: true, is_cut: true, foot: CUT_OFF });
  for (const cell of Object.values(sweep.cells))
    if (!ENDS.includes(cell.state)) Object.assign(cell, { line: "not complete", state: "cut" });
}

function build(el, model, sweep) {
  const root = add(el, "div", "cometnb-multiples-live");
  root.setAttribute("role", "region");
  root.setAttribute("aria-label", "Answers of the sweep");
  const view = { root, model, cells: {}, tallest: 0 };
  add(root, "div", "cometnb-multiples-head").textContent = sweep.head;
  for (const band of sweep.bands) buildBand(view, sweep, band);
  const status = add(root, "div", "cometnb-multiples-status");
  view.words = add(status, "span", "");
  addStop(
    view,
    status,
    () => ({}),
    () => model.get("sweep").is_done,
  );
  view.spoken = add(root, "div", "cometnb-multiples-spoken");
  view.spoken.setAttribute("role", "status");
  return view;
}

function buildBand(view, sweep, band) {
  const hasRows = Boolean(sweep.down);
  const table = add(view.root, "table", "");
  if (sweep.across) {
    const head = add(add(table, "thead", ""), "tr", "");
    if (hasRows) add(head, "th", "cometnb-multiples-corner").textContent = `${sweep.down} / ${sweep.across}`;
    for (const text of band.headings) heading(head, "col", hasRows ? text : `${sweep.across} ${text}`);
  } else if (hasRows) {
    add(add(add(table, "thead", ""), "tr", ""), "th", "cometnb-multiples-corner").textContent = sweep.down;
  }
  const body = add(table, "tbody", "");
  for (const [text, places] of band.rows) {
    const row = add(body, "tr", "");
    if (hasRows) heading(row, "row", text);
    for (const place of places) view.cells[place] = buildCell(add(row, "td", ""));
  }
}

function buildCell(box) {
  const scroller = add(box, "div", "cometnb-multiples-answer");
  // Reachable by keyboard, as it scrolls.
  scroller.tabIndex = 0;
  const cell = { box, scroller, blocks: add(scroller, "section", MARKDOWN), tail: add(scroller, "section", MARKDOWN) };
  cell.line = add(box, "div", "cometnb-multiples-line");
  return cell;
}

function heading(row, scope, text) {
  const cell = add(row, "th", "");
  cell.scope = scope;
  cell.textContent = text;
}

function show(view, place, news, tail) {
  const cell = view.cells[place];
  if (!cell) return;
  const { scroller } = cell;
  // Who has scrolled up reads; who has not wants the newest words.
  const follows = scroller.scrollHeight - scroller.scrollTop - scroller.clientHeight < 12;
  for (const html of news.blocks || []) cell.blocks.append(parsed(html));
  if (tail !== undefined) cell.tail.replaceChildren(parsed(tail));
  if (news.line !== undefined) cell.line.textContent = news.line;
  if (news.state !== undefined) cell.box.dataset.state = news.state;
  if (follows) scroller.scrollTop = scroller.scrollHeight;
  if (ENDS.includes(news.state)) scroller.scrollTop = 0;
}

function tick(view, sweep) {
  view.stop.hidden = !view.canStop || sweep.is_done;
  if (sweep.is_done) {
    view.words.textContent = sweep.foot;
    view.spoken.textContent = sweep.is_cut ? CUT_OFF : "The sweep is complete.";
    return;
  }
  const elapsed = sweep.elapsed_s + (performance.now() - sweep.since) / 1000;
  const parts = [sweep.foot, `${elapsed.toFixed(0)} s`];
  if (view.stop.hidden) parts.push("interrupt the kernel to stop");
  view.words.textContent = parts.filter(Boolean).join(" · ");
}
