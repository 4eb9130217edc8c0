// The live view of one answer. The kernel sends finished blocks once and the open tail anew; nothing is fetched.
//
// `answer` is the state so far; the kernel keeps it whole without sending it, so that a page that was reloaded asks
// for it and goes on. Each message carries a number: what the state already holds is not applied twice.
// The only HTML inserted is what the kernel has sanitised (`blocks`, `tail`, `thoughts`, `thought`); all else is text.

const OPEN_WORDS = { streaming: "The answer is coming.", done: "The answer is complete.", cut: CUT_OFF };
const RESTS = ["done", "idle", "cut"];
// What a card says of a call that has no result yet.
const OPEN_RESULTS = ["allowed", "running"];
const BUTTONS = [["Run", true], ["Refuse", false]];

export default {
  initialize({ model }) {
    model.get("answer").since = performance.now();
    model.on("msg:custom", (message) => {
      const answer = model.get("answer");
      if (message.n <= answer.n) return;
      if (message.answer) {
        // The view is emptied for another answer.
        model.set("answer", { ...message.answer, since: performance.now() });
        return;
      }
      answer.n = message.n;
      answer.blocks.push(...(message.blocks || []));
      answer.cards = message.cards || answer.cards;
      answer.thoughts.push(...(message.thoughts || []));
      for (const name of ["tail", "thought", "phase", "detail", "n_deltas"])
        if (message[name] !== undefined) answer[name] = message[name];
    });
    model.on("comm_live_update", () => cutOff(model.get("answer")));
  },

  render({ model, el }) {
    const view = build(el, model);
    const answer = model.get("answer");
    let shown = answer.n;
    show(view, answer);
    const onMessage = (message) => {
      if (message.n <= shown) return;
      shown = message.n;
      if (message.answer) empty(view);
      show(view, message.answer || message);
      if (message.answer || message.phase || message.detail !== undefined) tick(view, model.get("answer"));
    };
    const onCut = () => {
      const { phase, cards } = model.get("answer");
      show(view, { phase, cards });
      tick(view, model.get("answer"));
    };
    model.on("msg:custom", onMessage);
    model.on("comm_live_update", onCut);
    const clock = setInterval(() => tick(view, model.get("answer")), 250);
    tick(view, answer);
    return () => {
      model.off("msg:custom", onMessage);
      model.off("comm_live_update", onCut);
      clearInterval(clock);
      holdPlace(view);
    };
  },
};

function cutOff(answer) {
  if (RESTS.includes(answer.phase)) return;
  answer.phase = "cut";
  answer.detail = CUT_OFF;
  answer.cards = answer.cards.map(({ asks, ...card }) =>
    asks || OPEN_RESULTS.includes(card.result) ? { ...card, result: "no result" } : card,
  );
}

function build(el, model) {
  const root = add(el, "div", "cometnb-live");
  root.setAttribute("role", "region");
  root.setAttribute("aria-label", "Answer");
  const view = { root, model, tallest: 0, drawn: [] };
  view.fold = add(root, "details", "");
  view.fold.hidden = true;
  view.fold.open = true;
  add(view.fold, "summary", "").textContent = "Reasoning";
  view.thoughts = add(view.fold, "section", MARKDOWN);
  view.thought = add(view.fold, "section", MARKDOWN);
  view.cards = add(root, "section", "");
  view.blocks = add(root, "section", MARKDOWN);
  // Finished blocks are read out as they are added; the tail, which changes all the time, is not.
  view.blocks.setAttribute("role", "log");
  view.blocks.setAttribute("aria-live", "polite");
  view.tail = add(root, "section", MARKDOWN);
  view.tail.setAttribute("aria-hidden", "true");
  const status = add(root, "div", "cometnb-status");
  view.words = add(status, "span", "");
  view.spoken = add(root, "div", "cometnb-spoken");
  view.spoken.setAttribute("role", "status");
  view.spoken.textContent = OPEN_WORDS.streaming;
  addStop(
    view,
    status,
    () => ({ n: model.get("answer").n }),
    () => RESTS.includes(model.get("answer").phase),
  );
  view.stop.hidden = !view.canStop;
  return view;
}

function show(view, message) {
  fill(view.blocks, view.tail, message.blocks, message.tail);
  fill(view.thoughts, view.thought, message.thoughts, message.thought);
  if (message.thoughts?.length || message.thought) view.fold.hidden = false;
  // The summary was for the wait; once there is text it steps back, unless the reader has opened it again.
  if ((message.blocks?.length || message.tail) && !view.folded) {
    view.folded = true;
    view.fold.open = false;
  }
  if (message.cards) drawCards(view, message.cards);
  if (message.phase) view.stop.hidden = !view.canStop || RESTS.includes(message.phase);
  if (Object.hasOwn(OPEN_WORDS, message.phase)) view.spoken.textContent = OPEN_WORDS[message.phase];
  keepHeight(view);
}

// Another answer comes into the same view.
function empty(view) {
  for (const part of [view.blocks, view.tail, view.thoughts, view.thought, view.cards]) part.replaceChildren();
  view.drawn = [];
  view.folded = false;
  view.canStop = view.model.get("can_stop");
  view.fold.hidden = true;
  view.fold.open = true;
  view.tallest = 0;
  view.root.style.removeProperty("min-height");
  view.stop.disabled = false;
  view.stop.textContent = "Stop";
  view.spoken.textContent = OPEN_WORDS.streaming;
}

function fill(finished, open, blocks, tail) {
  for (const html of blocks || []) finished.append(parsed(html));
  if (tail !== undefined) open.replaceChildren(parsed(tail));
}

// A card that has not changed keeps its elements, and with them the focus and what a reader has selected.
function drawCards(view, cards) {
  cards.forEach((card, index) => {
    const looks = JSON.stringify(card);
    if (view.drawn[index] === looks) return;
    view.drawn[index] = looks;
    drawCard(view, view.cards.children[index] || add(view.cards, "div", "cometnb-card"), card);
  });
  while (view.cards.children.length > cards.length) view.cards.lastChild.remove();
  view.drawn.length = cards.length;
  keepFocus(view);
}

function drawCard(view, box, card) {
  box.replaceChildren();
  add(box, "strong", "").textContent = card.title;
  if (card.text) add(add(box, "div", ""), "code", "").textContent = card.text;
  if (card.result) add(box, "div", "cometnb-result").textContent = card.result;
  if (card.asks) drawQuestion(view, box, card);
  if (card.image) {
    const image = add(box, "img", "");
    image.alt = card.title;
    image.src = card.image;
  }
}

// The function runs only if a person says so.
function drawQuestion(view, box, card) {
  const row = add(box, "div", "cometnb-question");
  row.setAttribute("role", "group");
  row.setAttribute("aria-label", `May ${card.title} run?`);
  row.tabIndex = -1;
  view.spoken.textContent = `May ${card.title} run?`;
  for (const [label, yes] of BUTTONS) {
    const button = add(row, "button", "");
    button.textContent = label;
    button.addEventListener("click", () => {
      view.answered = row.contains(document.activeElement);
      for (const one of row.children) one.disabled = true;
      insist(
        button,
        () => view.model.send({ op: "permit", asks: card.asks, yes }),
        () => false,
        () => {
          add(row, "span", "").textContent = "The kernel does not hear it yet; interrupt the kernel to stop.";
        },
      );
    });
  }
}

// A button that is pressed goes. The focus moves to the next question, not to its buttons: a key that is held down must
// not answer it; after the last one it goes back to the cell, whose keys work again.
function keepFocus(view) {
  if (!view.answered) return;
  view.answered = false;
  const next = view.cards.querySelector(".cometnb-question") || view.root.closest(".jp-Cell");
  next?.focus({ preventScroll: true });
}

function tick(view, answer) {
  if (answer.phase === "done" || answer.phase === "cut") {
    view.words.textContent = answer.detail;
    return;
  }
  if (answer.phase === "idle") {
    view.words.textContent = "";
    return;
  }
  const elapsed = answer.elapsed_s + (performance.now() - answer.since) / 1000;
  const parts = [answer.model, answer.detail || answer.phase, `${elapsed.toFixed(0)} s`];
  if (answer.n_deltas > 1) parts.push(`about ${answer.n_deltas} tokens`, `${(answer.n_deltas / elapsed).toFixed(0)} tokens/s`);
  if (view.stop.hidden) parts.push("interrupt the kernel to stop");
  view.words.textContent = parts.join(" · ");
}
