// The panel's tabs: the answer (a live view of its own, which stands below and is hidden while another tab is open),
// the request, code, events, usage, runs and the comparison. All of it comes from the kernel as words, and only what
// the open tab shows. This file is joined with panel_parts.js, panel_page.js and panel_words.js.

const TABS = ["Answer", "Request", "Code", "Events", "Usage", "Runs", "Compare"];

export default {
  render({ model, el }) {
    const sheet = new Sheet(model, el);
    return () => sheet.close();
  },
};

class Sheet {
  constructor(model, el) {
    this.model = model;
    this.id = crypto.getRandomValues(new Uint32Array(1))[0];
    this.root = add(el, "section", "cometnb-sheet");
    this.buildTabs();
    this.page = add(this.root, "div", "cometnb-page");
    this.page.id = `cometnb-page-${this.id}`;
    this.page.setAttribute("role", "tabpanel");
    this.told = add(this.root, "div", "cometnb-told");
    this.told.setAttribute("role", "status");
    const draw = () => this.draw();
    this.handlers = {
      "change:tab": draw,
      "change:pages": draw,
      "msg:custom": (message) => this.receive(message),
    };
    for (const [name, act] of Object.entries(this.handlers)) model.on(name, act);
    this.draw();
  }

  close() {
    for (const [name, act] of Object.entries(this.handlers)) this.model.off(name, act);
  }

  buildTabs() {
    const list = add(this.root, "div", "cometnb-tabs");
    list.setAttribute("role", "tablist");
    list.setAttribute("aria-label", "What is shown of the run");
    this.tabs = TABS.map((name) => {
      const tab = button(list, "", name, () => this.open(name.toLowerCase()));
      tab.setAttribute("role", "tab");
      tab.setAttribute("aria-controls", `cometnb-page-${this.id}`);
      tab.name = name.toLowerCase();
      return tab;
    });
    list.addEventListener("keydown", (event) => {
      const at = this.tabs.indexOf(document.activeElement);
      const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: -1 }[event.key];
      if (next === undefined || at < 0) return;
      event.preventDefault();
      const tab = this.tabs.at(next % this.tabs.length);
      this.open(tab.name);
      tab.focus();
    });
  }

  open(name) {
    if (this.tab() === name) return;
    this.wanted = name;
    this.act("tab", { tab: name });
    this.draw();
  }

  // The tab that was pressed is open before the kernel has heard of it.
  tab() {
    const tab = this.model.get("tab");
    if (tab === this.wanted) this.wanted = undefined;
    return this.wanted || tab;
  }

  act(op, more = {}) {
    this.model.send({ op, view: this.id, ...more });
  }

  draw() {
    const open = this.tab();
    const { counts = {}, [open]: shown } = this.model.get("pages");
    for (const tab of this.tabs) {
      tab.ariaSelected = String(tab.name === open);
      tab.tabIndex = tab.name === open ? 0 : -1;
      const n = counts[tab.name];
      tab.textContent = TABS.find((name) => name.toLowerCase() === tab.name) + (n ? ` ${n}` : "");
    }
    this.root.dataset.tab = open;
    this.page.setAttribute("aria-label", open);
    const looks = JSON.stringify([open, shown]);
    if (looks === this.looks) return;
    this.looks = looks;
    const { focused, scrolled } = this.place();
    this.page.replaceChildren();
    if (shown) PAGES[open](this, this.page, shown);
    this.restore(focused, scrolled);
  }

  // A page that is drawn anew keeps its focus and its place.
  place() {
    const { activeElement } = document;
    const focused = this.page.contains(activeElement) ? activeElement.dataset.key : undefined;
    return { focused, scrolled: this.page.querySelector(".cometnb-scroll")?.scrollTop };
  }

  restore(focused, scrolled) {
    const scroll = this.page.querySelector(".cometnb-scroll");
    if (scroll && scrolled) scroll.scrollTop = scrolled;
    if (focused) this.page.querySelector(`[data-key="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  }

  async copy(text) {
    this.say((await copyText(text)) ? "Copied." : "The clipboard cannot be reached; mark the text and copy it.");
  }

  say(words) {
    this.told.textContent = words;
    clearTimeout(this.quiet);
    this.quiet = setTimeout(() => (this.told.textContent = ""), 4000);
  }

  async receive(message) {
    if (message.op !== "insert" || message.view !== this.id) return;
    this.say(await insertCell(this.root, message.text));
  }
}

const PAGES = { answer, request, code, events, usage, runs, compare };

function key(parent, name, text, act, title) {
  const made = button(parent, "", text, act, title);
  made.dataset.key = name;
  return made;
}

function answer(sheet, page, shown) {
  for (const { words, is_bad: isBad } of shown) {
    const note = add(page, "div", isBad ? "cometnb-note cometnb-bad" : "cometnb-note", words);
    if (isBad) note.setAttribute("role", "alert");
  }
}

function request(sheet, page, { text, problem, note }) {
  const bar = add(page, "div", "cometnb-bar");
  if (problem) add(bar, "span", "cometnb-bad", problem);
  else if (note) add(bar, "span", "cometnb-quiet", note);
  key(bar, "copy", "Copy", () => sheet.copy(text));
  words(page, text, "The request's body");
}

function code(sheet, page, { form, forms, text, problem }) {
  const bar = add(page, "div", "cometnb-bar");
  const group = add(bar, "div", "cometnb-buttons");
  group.setAttribute("role", "group");
  group.setAttribute("aria-label", "The call as");
  for (const one of forms) {
    const choice = key(group, `form-${one}`, one, () => sheet.act("form", { form: one }));
    choice.ariaPressed = String(one === form);
  }
  if (problem) add(bar, "span", "cometnb-bad", problem);
  key(bar, "copy", "Copy", () => sheet.copy(text)).disabled = !text;
  if (form === "cell") key(bar, "cell", "Insert below", () => sheet.act("cell"), "Put it into a new cell below");
  words(page, text, `The call as ${form}`);
}

function words(page, text, label) {
  const box = add(page, "pre", "cometnb-words cometnb-scroll", text);
  box.tabIndex = 0;
  box.setAttribute("aria-label", label);
}

// Events of one kind that came one after the other are one line, and stand where they stood in time.
function events(sheet, page, { note, lines }) {
  add(page, "div", "cometnb-bar cometnb-quiet", note);
  if (!lines.length) return;
  const body = table(page, ["from", "event", "number", "characters", "in time"]);
  for (const line of lines) {
    const row = add(body, "tr", "");
    add(row, "td", "cometnb-figure", line.from);
    add(row, "td", "cometnb-mono", line.type);
    add(row, "td", "cometnb-figure", line.n);
    add(row, "td", "cometnb-figure", line.n_characters);
    const track = add(add(row, "td", "cometnb-time"), "i", `cometnb-of-${line.kind}`);
    track.title = `${line.kind}: ${line.span}`;
    track.style.marginLeft = `${line.start * 100}%`;
    track.style.width = `max(2px, ${line.share * 100}%)`;
  }
}

function usage(sheet, page, { note, figures }) {
  add(page, "div", "cometnb-bar cometnb-quiet", note);
  if (!figures.length) return;
  const list = add(page, "dl", "cometnb-usage");
  for (const { name, words: figure, share, kind } of figures) {
    add(list, "dt", "", name);
    const cell = add(list, "dd", "");
    add(cell, "span", "", figure);
    if (share === null) continue;
    const track = add(cell, "span", "cometnb-track");
    track.setAttribute("aria-hidden", "true");
    add(track, "i", `cometnb-of-${kind}`).style.width = `${share * 100}%`;
  }
}

function runs(sheet, page, { lines, picked, diff }) {
  const bar = add(page, "div", "cometnb-bar cometnb-quiet");
  add(bar, "span", "", lines.length ? "Load a run's settings, or mark two runs to compare their answers word by word." : "No runs yet.");
  if (!lines.length) return;
  const body = table(page, ["diff", "run", "at", "model", "settings", "end", "tokens", "cost", "time", ""]);
  for (const line of lines) {
    const row = add(body, "tr", "");
    const mark = add(add(row, "td", ""), "input", "");
    mark.type = "checkbox";
    mark.checked = picked.includes(line.id);
    mark.dataset.key = `mark-${line.id}`;
    mark.setAttribute("aria-label", `Compare run ${line.number}`);
    mark.addEventListener("change", () => sheet.act("pick", { id: line.id, is_picked: mark.checked }));
    for (const name of ["number", "at", "model", "settings", "status", "tokens", "cost", "time"])
      add(row, "td", name === "settings" ? "cometnb-mono cometnb-wide" : "", line[name]).title = line[name];
    key(add(row, "td", ""), `load-${line.id}`, "Load", () => sheet.act("run_load", { id: line.id }), "Take over its settings");
  }
  if (diff) drawDiff(page, diff);
}

function compare(sheet, page, { note, lines, is_running: isRunning, is_diff: isDiff }) {
  const bar = add(page, "div", "cometnb-bar");
  key(bar, "add", "Add settings", () => sheet.act("add_column"), "Add what is set above as a column");
  const run = key(bar, "run", isRunning ? "Stop" : "Run all", () => sheet.act(isRunning ? "stop" : "run_columns"));
  run.disabled = !lines.length;
  const diff = key(bar, "diff", "Differences", () => sheet.act("differences"), "Show each answer's words against the first's");
  diff.ariaPressed = String(isDiff);
  diff.disabled = lines.length < 2;
  add(bar, "span", "cometnb-quiet", note);
  page.classList.toggle("cometnb-differs", isDiff);
}

function table(page, heads) {
  const frame = add(page, "div", "cometnb-scroll");
  frame.tabIndex = 0;
  const whole = add(frame, "table", "cometnb-table");
  const head = add(add(whole, "thead", ""), "tr", "");
  for (const name of heads) add(head, "th", "", name).scope = "col";
  return add(whole, "tbody", "");
}

function drawDiff(page, { title, words: pieces }) {
  add(page, "div", "cometnb-diff-title", title);
  const box = add(page, "div", "cometnb-diff cometnb-scroll");
  box.tabIndex = 0;
  box.setAttribute("aria-label", title);
  drawPieces(box, pieces);
}
