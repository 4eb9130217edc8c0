// The panel's deck: prompt, controls, keys and presets. `values` holds what is set, path to value; the kernel
// writes it, and the page sends what a person changes. A path that is not in it is not sent.
// It is joined with panel_parts.js, panel_controls.js, panel_page.js and panel_presets.js.

const SAVE_AFTER_MS = 250;
const DRAG_MS = 30;

export default {
  render({ model, el }) {
    const deck = new Deck(model, el);
    return () => deck.close();
  },
};

class Deck {
  constructor(model, el) {
    this.model = model;
    this.id = crypto.getRandomValues(new Uint32Array(1))[0];
    this.faults = new Map();
    this.waiting = new Map();
    this.sent = new Map();
    this.n = 0;
    this.dials = new Map();
    this.root = add(el, "section", "cometnb-deck");
    this.root.setAttribute("role", "group");
    this.root.setAttribute("aria-label", "What is asked");
    this.build();
    this.watch({
      "change:values": () => this.show(),
      "change:marks": () => this.showMarks(),
      "change:status": () => this.showStatus(),
      "change:told": () => {
        const { is_bad: isBad, ...told } = this.model.get("told");
        this.say({ ...told, isBad });
      },
      "change:offers": () => this.show(),
      "change:presets": () => this.presets.show(),
      "change:rows": () => this.rebuild(),
      "msg:custom": (message) => this.receive(message),
      comm_live_update: () => this.end(),
    });
    this.keep = keepKeys(this.root);
    // A text knows how high it is once it is in the page.
    this.sized = new ResizeObserver(() => this.root.querySelectorAll("textarea").forEach(grow));
    this.sized.observe(this.root);
  }

  watch(handlers) {
    this.handlers = handlers;
    for (const [name, act] of Object.entries(handlers)) this.model.on(name, act);
  }

  close() {
    this.save();
    this.keep();
    this.sized.disconnect();
    for (const [name, act] of Object.entries(this.handlers)) this.model.off(name, act);
  }

  build() {
    const rows = Object.groupBy(this.model.get("rows"), (row) => row.place);
    const head = add(this.root, "div", "cometnb-head");
    const [model, ...texts] = rows.desk;
    this.dial(head, model);
    this.presets = new Presets(this, head);
    this.figures = add(head, "div", "cometnb-figures-line");
    const desk = add(this.root, "div", "cometnb-desk");
    for (const row of texts) this.dial(desk, row);
    this.buildKeys(desk);
    const dials = add(this.root, "div", "cometnb-dials");
    for (const row of rows.dial) this.dial(dials, row);
    this.fold(rows.more || []);
    this.showStatus();
    this.show();
  }

  rebuild() {
    const isOpen = this.more.open;
    this.root.replaceChildren();
    this.dials.clear();
    this.build();
    this.more.open = isOpen;
  }

  buildKeys(desk) {
    const keys = add(desk, "div", "cometnb-keys");
    const shortcut = navigator.platform.startsWith("Mac") ? "⌘↵" : "Ctrl ↵";
    this.runKey = button(keys, "cometnb-run", "", () => this.run(), "Send the request (Ctrl or Cmd and Enter in the panel)");
    add(this.runKey, "span", "", "Run");
    add(this.runKey, "kbd", "", shortcut).setAttribute("aria-hidden", "true");
    this.stopKey = button(keys, "cometnb-stop", "", () => this.act("stop"), "Close the connection; what came is kept (Esc)");
    add(this.stopKey, "span", "", "Stop");
    add(this.stopKey, "kbd", "", "Esc").setAttribute("aria-hidden", "true");
    button(keys, "", "Clear", () => this.act("clear"), "Empty the answer; settings and runs stay");
    button(keys, "", "Compare", () => this.act("add_column"), "Add these settings as a column, to run side by side");
    button(keys, "", "Insert cell", () => this.act("cell"), "Put these settings into a new %%respond cell below");
    this.problem = add(desk, "div", "cometnb-told cometnb-problem cometnb-bad");
    this.told = add(desk, "div", "cometnb-told");
    this.told.setAttribute("role", "status");
    this.root.addEventListener("keydown", (event) => this.press(event));
  }

  // Advanced parameters are made when they are unfolded for the first time.
  fold(rows) {
    this.more = add(this.root, "details", "cometnb-more");
    this.summary = add(this.more, "summary", "", "Advanced");
    const grid = add(this.more, "div", "cometnb-grid");
    this.more.addEventListener("toggle", () => {
      if (!this.more.open || grid.childElementCount) return;
      for (const row of rows) this.dial(grid, row);
      this.show();
    });
    this.folded = rows.map((row) => row.path);
  }

  dial(parent, row) {
    const box = add(parent, "div", `cometnb-dial cometnb-kind-${row.kind}`);
    box.dataset.path = row.path;
    const label = add(box, "span", "cometnb-name", called(row));
    label.title = row.doc;
    const body = add(box, "div", "cometnb-body");
    const dial = { row, box, ...KINDS[row.kind](row, this, body) };
    label.addEventListener("click", () => dial.first.focus());
    dial.off = button(box, "cometnb-off", "×", () => {
      this.fault(row.path, "");
      this.unset(row.path);
      dial.first.focus();
    });
    dial.off.title = row.path === "input" ? "Empty the prompt" : `Do not send ${row.path}`;
    dial.off.setAttribute("aria-label", dial.off.title);
    dial.mark = add(box, "div", "cometnb-mark");
    dial.mark.setAttribute("role", "alert");
    this.dials.set(row.path, dial);
    return dial;
  }

  // What is set: as the kernel has it, with what it has not heard of yet laid over it.
  values() {
    const values = { ...this.model.get("values") };
    for (const changes of [this.sent, this.waiting])
      for (const [path, value] of changes)
        if (value === undefined) delete values[path];
        else values[path] = value;
    return values;
  }

  value(path) {
    return this.values()[path];
  }

  suggestions(path) {
    return this.model.get("offers")[path] || [];
  }

  set(path, value, isTyping = false) {
    if (JSON.stringify(this.value(path)) !== JSON.stringify(value)) this.take(path, value, isTyping);
  }

  unset(path, isTyping = false) {
    if (this.value(path) !== undefined) this.take(path, undefined, isTyping);
    else this.show();
  }

  take(path, value, isTyping) {
    this.waiting.set(path, value);
    this.show();
    clearTimeout(this.saving);
    this.saving = setTimeout(() => this.save(), isTyping ? SAVE_AFTER_MS : DRAG_MS);
  }

  save() {
    if (this.waiting.size) this.send("set", {});
  }

  // What is asked goes with every wish: a value that was just changed is not left behind.
  act(op, more = {}) {
    clearTimeout(this.saving);
    this.send(op, more);
  }

  send(op, more) {
    this.n += 1;
    for (const [path, value] of this.waiting) this.sent.set(path, value);
    const changes = Object.fromEntries([...this.waiting].map(([path, value]) => [path, value ?? null]));
    this.waiting.clear();
    this.model.send({ op, changes, n: this.n, view: this.id, ...more });
  }

  hasFault(path) {
    return this.faults.has(path);
  }

  // What a control itself finds wrong: it is shown at once, and nothing of it is sent.
  fault(path, words) {
    if ((this.faults.get(path) || "") === words) return;
    if (words) this.faults.set(path, words);
    else this.faults.delete(path);
    this.showMarks();
  }

  show() {
    const values = this.values();
    this.root.toggleAttribute("data-unheard", this.sent.size + this.waiting.size > 0);
    for (const [path, dial] of this.dials) {
      dial.show(values[path]);
      dial.box.classList.toggle("cometnb-unset", values[path] === undefined);
    }
    const n = this.folded.filter((path) => values[path] !== undefined).length;
    this.summary.textContent = n ? `Advanced · ${n} set` : "Advanced";
    this.showMarks();
  }

  // A fault of the control, a problem the kernel sees, or the service's own words with a way out.
  showMarks() {
    const { problems, refused } = this.model.get("marks");
    for (const [path, { box, mark, first }] of this.dials) {
      const words = this.faults.get(path) || problems[path] || refused[path] || "";
      const looks = JSON.stringify([words, refused[path]]);
      if (mark.dataset.looks === looks) continue;
      mark.dataset.looks = looks;
      mark.replaceChildren();
      box.classList.toggle("cometnb-wrong", Boolean(words));
      first.setAttribute("aria-invalid", String(Boolean(words)));
      if (!words) continue;
      add(mark, "span", "", words);
      if (words === refused[path]) button(mark, "", "Drop", () => this.act("drop", { path }), `Do not send ${path}`);
    }
    const folded = this.folded.some((path) => problems[path] || refused[path]);
    if (folded && !this.more.open) this.more.open = true;
  }

  showStatus() {
    const { running, can_run: canRun, words: problem, expected, spent, model } = this.model.get("status");
    this.root.classList.toggle("cometnb-running", running);
    this.runKey.setAttribute("aria-disabled", String(running || !canRun));
    this.stopKey.setAttribute("aria-disabled", String(!running));
    if (running !== this.wasRunning) this.say({ words: running ? "Running." : "" });
    this.wasRunning = running;
    this.figures.replaceChildren();
    for (const [name, words] of [["next", expected], ["spent", spent]]) {
      if (!words) continue;
      const figure = add(this.figures, "span", "");
      figure.title = words;
      add(figure, "b", "", `${name} `);
      add(figure, "span", "", short(words));
    }
    this.problem.textContent = problem;
    if (problem && problem === this.told.textContent) this.say({});
    this.dials.get("model").first.placeholder = `${model} unless set`;
  }

  say({ words = "", isBad = false, text }) {
    // What cannot be sent is said once.
    this.told.textContent = words === this.problem.textContent ? "" : words;
    this.told.classList.toggle("cometnb-bad", isBad);
    if (text !== undefined) this.presets.share(text);
  }

  run() {
    const [path] = this.faults.keys();
    const { running } = this.model.get("status");
    if (path !== undefined) {
      this.dials.get(path)?.first.focus();
      this.say({ words: `Nothing is sent. ${path}: ${this.faults.get(path)}.`, isBad: true });
    } else if (running) this.say({ words: "It is running; stop it first." });
    else this.act("run");
  }

  press(event) {
    const isRun = event.key === "Enter" && (event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey;
    if (isRun) this.run();
    else if (event.key === "Escape" && this.model.get("status").running) this.act("stop");
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  // The kernel has been restarted: what is shown is what there was.
  end() {
    this.root.classList.add("cometnb-ended");
    this.say({ words: "The kernel that this panel belonged to has ended; run its cell again.", isBad: true });
  }

  async receive(message) {
    if (message.view !== this.id) return;
    if (message.op === "heard" && message.n === this.n) {
      this.sent.clear();
      this.show();
    }
    if (message.op === "insert") this.say({ words: await insertCell(this.root, message.text) });
  }
}

// Of what a run is expected to cost the sum is enough; the tooltip has all of it.
function short(words) {
  const [line] = words.split("\n");
  const [sum] = /\$[\d.,]*\d( (to|or) (\$[\d.,]*\d|more))?/.exec(line) || [line];
  return line.startsWith("about") ? sum : line;
}
