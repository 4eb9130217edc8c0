// What the panel does to the page around it: it keeps its keys to itself, copies, and adds a cell to the notebook.
// This file is joined with those that use it.

const SETTLE_MS = 1500;
const ADD_CELL = '[data-command="notebook:insert-cell-below"]';

// JupyterLab looks for a shortcut's place from the element with the focus upwards, and ends at this mark; many shortcuts
// ask for that very element, so it has to be there. Saving and the command palette go on working.
function keepKeys(root) {
  const isLab = ({ key, ctrlKey, metaKey, altKey, shiftKey }) =>
    (ctrlKey || metaKey) && !altKey && (key.toLowerCase() === "s" || (shiftKey && key.toLowerCase() === "c"));
  const onKey = (event) => {
    const board = root.closest(".cometnb-board") || root;
    if (event.target instanceof Element && board.contains(event.target))
      event.target.toggleAttribute("data-lm-suppress-shortcuts", !isLab(event));
  };
  window.addEventListener("keydown", onKey, true);
  return () => window.removeEventListener("keydown", onKey, true);
}

async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    // Not allowed, or a page that does not come from this machine: the older way needs no permission.
    const before = document.activeElement;
    const box = document.createElement("textarea");
    box.value = text;
    box.style.position = "fixed";
    document.body.append(box);
    box.select();
    const isCopied = document.execCommand("copy");
    box.remove();
    before?.focus?.({ preventScroll: true });
    return isCopied;
  }
}

// A new cell below the panel's own, by JupyterLab's own button or, where there is none, its key; then the text is pasted
// into it. What is said is what has been seen.
async function insertCell(root, text) {
  const home = root.closest(".jp-Cell");
  const notebook = root.closest(".jp-Notebook");
  if (home && notebook) {
    const cell = await addedCell(home, notebook);
    if (cell && (await pasted(cell, text))) return "The cell stands below.";
  }
  const isCopied = await copyText(text);
  return isCopied
    ? "No cell could be added here; the cell's text is on the clipboard."
    : "No cell could be added here; the Code tab has its text.";
}

async function addedCell(home, notebook) {
  const before = new Set(notebook.querySelectorAll(".jp-Cell"));
  const fresh = () => [...notebook.querySelectorAll(".jp-Cell.jp-mod-active")].find((cell) => !before.has(cell));
  // The cell becomes the active one, as by a click beside its output.
  const prompt = home.querySelector(".jp-OutputPrompt, .jp-InputPrompt") || home;
  for (const type of ["mousedown", "mouseup", "click"]) press(prompt, type);
  notebook.focus({ preventScroll: true });
  if (!(await until(() => home.classList.contains("jp-mod-active")))) return undefined;
  const key = home.closest(".jp-NotebookPanel")?.querySelector(ADD_CELL);
  // Which of these it listens to differs; none is tried once there is a cell.
  const ways = [
    () => key && press(key, "mousedown"),
    () => key && press(key, "click"),
    () => notebook.dispatchEvent(new KeyboardEvent("keydown", { key: "b", code: "KeyB", keyCode: 66, bubbles: true })),
  ];
  for (const way of ways) {
    way();
    const cell = await until(fresh, SETTLE_MS / 3);
    if (cell) return cell;
  }
  return undefined;
}

function press(element, type) {
  element.dispatchEvent(new MouseEvent(type, { bubbles: true, cancelable: true, composed: true, button: 0 }));
}

async function pasted(cell, text) {
  const editor = await until(() => cell.querySelector(".cm-content"));
  if (!editor) return false;
  editor.focus();
  const data = new DataTransfer();
  data.setData("text/plain", text);
  editor.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
  const lines = text.trimEnd().split("\n");
  // Only what is in sight of a long text is drawn.
  const landed = () => [...editor.querySelectorAll(".cm-line")].some((line) => line.textContent === lines[0]);
  return Boolean(await until(landed));
}

async function until(test, limitMs = SETTLE_MS) {
  const end = performance.now() + limitMs;
  while (performance.now() < end) {
    const found = test();
    if (found) return found;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  return undefined;
}
