// The live cost panel. The kernel sends all its figures, in words, whenever calls have ended; they are drawn here.
// Nothing is fetched, and nothing is inserted as HTML: every word is text.

const SPEAK_AFTER_MS = 2000;

export default {
  render({ model, el }) {
    const root = add(el, "section", "cometnb-spending");
    root.setAttribute("role", "region");
    root.setAttribute("aria-label", "What this kernel's calls cost");
    const body = add(root, "div", "cometnb-spending-body");
    const spoken = add(root, "div", "cometnb-spending-spoken");
    spoken.setAttribute("role", "status");
    let speaking;
    const draw = () => {
      const figures = model.get("figures");
      root.classList.remove("cometnb-ended");
      body.replaceChildren();
      drawFigures(body, figures);
      // Calls may end many times a second; they are read out when it has become quiet.
      clearTimeout(speaking);
      speaking = setTimeout(() => (spoken.textContent = sentence(figures)), SPEAK_AFTER_MS);
    };
    // The kernel has been restarted; what is shown is what the one before had spent.
    const end = () => root.classList.add("cometnb-ended");
    model.on("change:figures", draw);
    model.on("comm_live_update", end);
    draw();
    return () => {
      clearTimeout(speaking);
      model.off("comm_live_update", end);
      model.off("change:figures", draw);
    };
  },
};

function drawFigures(body, figures) {
  const money = add(body, "div", "cometnb-money");
  const amount = add(money, "div", "cometnb-amount", figures.amount);
  if (!figures.is_known) amount.classList.add("cometnb-unknown");
  add(money, "div", "cometnb-caption", figures.caption);
  if (figures.simulated) {
    const simulated = add(money, "div", "cometnb-simulated");
    add(simulated, "strong", "", figures.simulated);
    add(simulated, "span", "cometnb-caption", " simulated, as if billed");
  }
  if (figures.budget) drawBudget(money, figures.budget);
  drawTokens(add(body, "div", "cometnb-tokens"), figures.tokens);
  drawCalls(add(body, "div", "cometnb-calls"), figures.calls);
  drawFoot(add(body, "div", "cometnb-foot"), figures);
}

function drawBudget(money, budget) {
  const box = add(money, "div", "cometnb-budget");
  const track = add(box, "div", "cometnb-track");
  track.setAttribute("aria-hidden", "true");
  const rest = add(track, "i", budget.share < 0.2 ? "cometnb-low" : "cometnb-rest");
  rest.style.width = percent(budget.share);
  add(box, "div", "cometnb-caption", budget.words);
}

function drawTokens(box, bars) {
  for (const bar of bars) {
    const line = add(box, "div", "cometnb-line");
    add(line, "span", "cometnb-name", bar.name);
    add(line, "span", "cometnb-count", bar.words);
    const track = add(box, "div", "cometnb-track");
    track.setAttribute("aria-hidden", "true");
    const details = add(box, "div", "cometnb-details");
    for (const part of bar.parts) {
      add(track, "i", kind(part.kind)).style.width = percent(part.share);
      if (!part.words) continue;
      const words = add(details, "span", "");
      add(words, "b", kind(part.kind)).setAttribute("aria-hidden", "true");
      words.append(part.words);
    }
  }
}

function drawCalls(box, calls) {
  const line = add(box, "div", "cometnb-line");
  add(line, "span", "cometnb-name", calls ? calls.caption : "cost per call");
  add(line, "span", "cometnb-count", calls ? calls.head : "");
  const spark = add(box, "div", "cometnb-spark");
  if (!calls) {
    add(spark, "span", "cometnb-caption", "It begins with the next call.");
    add(box, "div", "cometnb-details");
    return;
  }
  spark.setAttribute("role", "img");
  spark.setAttribute("aria-label", calls.said);
  for (const point of calls.points) {
    const column = add(spark, "i", point.is_simulated ? "cometnb-call cometnb-free" : "cometnb-call");
    column.title = point.words;
    if (point.share === null) column.classList.add("cometnb-nothing");
    else column.style.height = percent(point.share);
  }
  add(add(box, "div", "cometnb-details"), "span", "", calls.count);
}

function drawFoot(foot, figures) {
  for (const note of figures.notes) add(foot, "span", "cometnb-note", note);
  add(foot, "span", "", figures.count);
  add(foot, "span", "cometnb-moment", figures.moment);
}

function sentence(figures) {
  const parts = [`${figures.amount} ${figures.caption}`];
  if (figures.simulated) parts.push(`${figures.simulated} simulated`);
  if (figures.budget) parts.push(figures.budget.words);
  if (figures.calls) parts.push(`last call ${figures.calls.last}`);
  return `${parts.join(", ")}.`;
}

function kind(name) {
  return `cometnb-kind-${name.replaceAll(" ", "-")}`;
}

function percent(share) {
  return `${(share * 100).toFixed(2)}%`;
}
