// The panel's controls, one maker for each kind. A maker gets the row of the control and the deck it belongs to, and
// returns its element and `show(value)`, where undefined is "not set". Every word is text; nothing is fetched.
// This file is joined with panel_parts.js and panel.js.

const LOG_STEPS = 400;
let made = 0;

function called(row) {
  return row.path === "input" ? "prompt" : row.path;
}

// Who speaks to the page says the words that stand beside the control.
function named(element, row) {
  element.setAttribute("aria-label", `${called(row)}: ${row.doc}`);
  element.title = row.doc;
  return element;
}

function unsetWords(row) {
  return row.default === null || row.default === undefined ? "not set" : `${row.default} unless set`;
}

// A text grows with what is written in it.
function grow(text) {
  text.style.height = "auto";
  if (text.scrollHeight) text.style.height = `${text.scrollHeight + 2}px`;
}

// Where a person types, what the kernel says does not move the caret.
function put(input, words) {
  if (input.value !== words) input.value = words;
}

const KINDS = {
  slider: numeric,
  log: numeric,
  number: numeric,
  text: typed,
  model: typed,
  choice: typed,
  lines: typed,
  json: written,
  buttons: (row, deck, box) => oneOf(row, deck, box, row.choices.map((word) => [word, word])),
  switch: (row, deck, box) => oneOf(row, deck, box, [["true", true], ["false", false]]),
  marks: anyOf,
  names: listed,
};

function numeric(row, deck, box) {
  const range = row.kind === "number" ? null : named(add(box, "input", ""), row);
  const number = named(add(box, "input", "cometnb-number"), row);
  number.type = "number";
  number.step = row.is_whole ? 1 : "any";
  number.placeholder = row.default ?? "not set";
  for (const end of ["min", "max"]) {
    const bound = row[`${end}imum`];
    if (bound !== null) number[end] = bound;
  }
  if (range) slide(row, deck, range, number);
  number.addEventListener("input", () => {
    const fault = faultOf(row, number);
    deck.fault(row.path, fault);
    if (fault) return;
    if (number.value === "") deck.unset(row.path);
    else deck.set(row.path, Number(number.value));
  });
  const isOld = keepsFault(row, deck);
  const show = (value) => {
    if (isOld(value)) return;
    const words = value === undefined ? "" : String(value);
    if (number.value === "" || Number(number.value) !== value) number.value = words;
    if (range) range.place(value);
  };
  return { show, first: range || number };
}

// What cannot be read stays as it is typed, with its mark, until it is mended or something else is set.
function keepsFault(row, deck) {
  let before;
  return (value) => {
    const words = JSON.stringify(value);
    const isOld = words === before && deck.hasFault(row.path);
    before = words;
    if (!isOld) deck.fault(row.path, "");
    return isOld;
  };
}

function faultOf(row, number) {
  const { validity } = number;
  if (validity.badInput) return "not a number";
  if (row.is_whole && number.value !== "" && !Number.isInteger(Number(number.value))) return "a whole number";
  if (!validity.rangeUnderflow && !validity.rangeOverflow) return "";
  return row.maximum === null ? `${row.minimum} or more` : `from ${row.minimum} to ${row.maximum}`;
}

// A slider that is not set stands where the service's own value is; a touch, an arrow key or Enter sets it.
function slide(row, deck, range, number) {
  range.type = "range";
  const [low, high] = row.scale || [row.minimum, row.maximum];
  const toValue = (place) => (row.scale ? rounded(low * (high / low) ** (place / LOG_STEPS)) : place);
  const toPlace = (value) => (row.scale ? LOG_STEPS * (Math.log(value / low) / Math.log(high / low)) : value);
  Object.assign(range, row.scale ? { min: 0, max: LOG_STEPS, step: 4 } : { min: low, max: high, step: row.step });
  const rest = row.scale ? LOG_STEPS / 2 : row.default ?? low;
  range.place = (value) => {
    const place = value === undefined ? rest : Math.min(Math.max(toPlace(Math.max(value, low)), range.min), range.max);
    if (document.activeElement !== range || toValue(Number(range.value)) !== value) range.value = place;
    range.style.setProperty("--share", `${((place - range.min) / (range.max - range.min)) * 100}%`);
    range.setAttribute("aria-valuetext", value === undefined ? unsetWords(row) : `${value} ${row.unit}`.trim());
  };
  const take = () => {
    deck.fault(row.path, "");
    deck.set(row.path, toValue(Number(range.value)));
  };
  range.addEventListener("input", take);
  range.addEventListener("click", take);
  range.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) take();
    if (event.key === "Delete" || event.key === "Backspace") deck.unset(row.path);
  });
  number.addEventListener("keydown", (event) => event.key === "Delete" && event.ctrlKey && deck.unset(row.path));
}

function rounded(value) {
  const unit = 10 ** Math.max(0, Math.floor(Math.log10(value)) - 1);
  return Math.round(value / unit) * unit;
}

function typed(row, deck, box) {
  const isLong = row.kind === "lines";
  const input = named(add(box, isLong ? "textarea" : "input", "cometnb-text"), row);
  input.placeholder = row.hint || unsetWords(row);
  input.spellcheck = isLong;
  input.autocomplete = "off";
  if (isLong) input.rows = 1;
  const offer = isLong ? () => {} : suggest(box, input, row, deck);
  input.addEventListener("input", () => {
    if (isLong) grow(input);
    const words = isLong ? input.value : input.value.trim();
    if (words.trim()) deck.set(row.path, words, true);
    else deck.unset(row.path, true);
  });
  const show = (value) => {
    if ((isLong ? input.value : input.value.trim()) !== (value ?? "")) put(input, value ?? "");
    if (isLong) grow(input);
    offer();
  };
  return { show, first: input };
}

function suggest(box, input, row, deck) {
  const list = add(box, "datalist", "");
  list.id = `cometnb-suggestions-${(made += 1)}`;
  let shown = "";
  return () => {
    const words = [...row.choices, ...deck.suggestions(row.path)];
    if (shown === words.join("\n")) return;
    shown = words.join("\n");
    list.replaceChildren(...words.map((word) => new Option(word, word)));
    input.setAttribute("list", list.id);
  };
}

// JSON as it is typed; it is taken when it is whole.
function written(row, deck, box) {
  const input = named(add(box, "textarea", "cometnb-text cometnb-json"), row);
  input.rows = 1;
  input.spellcheck = false;
  input.placeholder = row.default ?? (row.takes_text ? "not set: a word or JSON" : "not set: JSON");
  const read = () => {
    const words = input.value.trim();
    if (!words) return undefined;
    if (row.takes_text && !/^[[{"]/.test(words)) return words;
    return JSON.parse(words);
  };
  input.addEventListener("input", () => {
    grow(input);
    try {
      const value = read();
      deck.fault(row.path, "");
      if (value === undefined) deck.unset(row.path, true);
      else deck.set(row.path, value, true);
    } catch {
      deck.fault(row.path, "not JSON yet");
    }
  });
  const isOld = keepsFault(row, deck);
  const show = (value) => {
    if (isOld(value)) return;
    let held;
    try {
      held = read();
    } catch {
      held = undefined;
    }
    const words = typeof value === "string" ? value : value === undefined ? "" : JSON.stringify(value);
    if (JSON.stringify(held) !== JSON.stringify(value)) put(input, words);
    grow(input);
  };
  return { show, first: input };
}

// One of a few: a group with one stop for Tab; arrows choose, what is chosen is pressed again to be not set.
function oneOf(row, deck, box, options) {
  const group = named(add(box, "div", "cometnb-buttons"), row);
  group.setAttribute("role", "radiogroup");
  const keys = options.map(([words, value]) => {
    const act = () => (key.ariaChecked === "true" ? deck.unset(row.path) : deck.set(row.path, value));
    const key = button(group, "", words, act);
    key.setAttribute("role", "radio");
    key.value = JSON.stringify(value);
    return key;
  });
  const others = () => [...group.children];
  group.addEventListener("keydown", (event) => {
    const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (event.key === "Delete" || event.key === "Backspace") deck.unset(row.path);
    if (!step) return;
    event.preventDefault();
    const all = others();
    const next = all[(all.indexOf(document.activeElement) + step + all.length) % all.length];
    deck.set(row.path, JSON.parse(next.value));
    next.focus();
  });
  const show = (value) => {
    // A value the table does not know is shown as one more button.
    while (group.children.length > keys.length) group.lastChild.remove();
    const words = JSON.stringify(value);
    if (value !== undefined && !others().some((key) => key.value === words)) {
      const extra = button(group, "", String(value), () => deck.unset(row.path));
      extra.setAttribute("role", "radio");
      extra.value = words;
    }
    const chosen = others().find((key) => key.value === words);
    for (const key of others()) {
      key.ariaChecked = String(key === chosen);
      key.tabIndex = key === (chosen || keys[0]) ? 0 : -1;
      const isUsual = chosen === undefined && JSON.stringify(row.default ?? null) === key.value;
      key.classList.toggle("cometnb-usual", isUsual);
      if (isUsual) key.title = "what the service takes when it is not set";
    }
  };
  return { show, first: keys[0] };
}

function anyOf(row, deck, box) {
  const group = named(add(box, "div", "cometnb-buttons cometnb-marks"), row);
  group.setAttribute("role", "group");
  const value = () => deck.value(row.path) || [];
  const keys = row.choices.map((word) => {
    const key = button(group, "", word, () => {
      const rest = value().filter((one) => one !== word);
      const next = rest.length === value().length ? [...value(), word] : rest;
      if (next.length) deck.set(row.path, next);
      else deck.unset(row.path);
    });
    key.value = word;
    return key;
  });
  const show = (now = []) => keys.forEach((key) => (key.ariaPressed = String(now.includes(key.value))));
  return { show, first: keys[0] };
}

// Names one after the other: typed and taken with Enter or a comma, taken away by their own button or Backspace.
function listed(row, deck, box) {
  const frame = add(box, "div", "cometnb-names");
  const chips = add(frame, "span", "cometnb-chips");
  const input = named(add(frame, "input", "cometnb-text"), row);
  input.autocomplete = "off";
  const offer = suggest(box, input, row, deck);
  const value = () => deck.value(row.path) || [];
  const keep = (names) => (names.length ? deck.set(row.path, names) : deck.unset(row.path));
  const take = () => {
    const names = input.value.split(",").map((name) => name.trim()).filter(Boolean);
    input.value = "";
    if (names.length) keep([...value(), ...names.filter((name) => !value().includes(name))]);
  };
  input.addEventListener("keydown", (event) => {
    if ((event.key === "Enter" && !event.ctrlKey && !event.metaKey) || event.key === ",") {
      event.preventDefault();
      take();
    }
    if (event.key === "Backspace" && !input.value) keep(value().slice(0, -1));
  });
  input.addEventListener("change", take);
  const show = (names = []) => {
    chips.replaceChildren();
    names.forEach((name, index) => {
      const words = typeof name === "string" ? name : name.type || "tool";
      const chip = add(chips, "span", "cometnb-chip", words);
      const act = () => {
        keep(value().filter((_, place) => place !== index));
        input.focus();
      };
      button(chip, "", "×", act).setAttribute("aria-label", `Remove ${words}`);
    });
    input.placeholder = names.length ? "" : unsetWords(row);
    offer();
  };
  return { show, first: input };
}
