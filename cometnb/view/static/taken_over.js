// What the views share whose place a native display takes at the end: rendered blocks, and a height that never jumps.

const HOLD_MS = 500;
const AGAIN_MS = 500;
// So often a wish is sent before the reader is told of a way that needs no comm.
const N_UNHEARD = 10;
// JupyterLab's class for rendered Markdown: the view then looks like the display that will take its place.
const MARKDOWN = "jp-RenderedHTMLCommon";
// The kernel has been restarted: nothing more comes, and a wish would reach nobody.
const CUT_OFF = "The kernel has ended. What had come stays here until the page is left.";

// The only place where HTML is read; the kernel has sanitised it.
function parsed(html) {
  const template = document.createElement("template");
  template.innerHTML = html;
  for (const link of template.content.querySelectorAll("a")) link.target = "_blank";
  return template.content;
}

// An output that shrinks makes the page jump.
function keepHeight(view) {
  const height = view.root.offsetHeight;
  view.frame = view.root.closest(".jp-Cell-outputWrapper");
  view.frameHeight = view.frame?.offsetHeight;
  if (height > view.tallest) {
    view.tallest = height;
    view.root.style.minHeight = `${height}px`;
  }
}

// The display that takes the view's place is drawn a moment after the view has gone.
function holdPlace(view) {
  if (!view.frame) return;
  const { frame, frameHeight } = view;
  frame.style.minHeight = `${frameHeight}px`;
  setTimeout(() => frame.style.removeProperty("min-height"), HOLD_MS);
}

// A view's Stop, as long as it `canStop`: `details` says what a press is about, `isOver` whether there is anything left
// to stop.
function addStop(view, parent, details, isOver) {
  view.stop = add(parent, "button", "");
  view.stop.textContent = "Stop";
  view.canStop = view.model.get("can_stop");
  view.stop.addEventListener("click", () => {
    view.stop.disabled = true;
    view.stop.textContent = "Stopping";
    const wish = { op: "stop", ...details() };
    insist(
      view.stop,
      () => view.model.send(wish),
      isOver,
      () => {
        view.canStop = false;
        view.stop.hidden = true;
      },
    );
  });
}

// JupyterLab gives a page's comms a thread of their own in the kernel only a moment after the first comm; what is sent
// before that waits until the cell has ended, and some front ends give none. So the wish of a button that was pressed,
// and takes no other press meanwhile, is sent again until something comes of it.
function insist(button, wish, isOver, unheard) {
  wish();
  let n = 1;
  const again = setInterval(() => {
    if (!button.isConnected || !button.disabled || isOver()) {
      clearInterval(again);
      return;
    }
    if (n === N_UNHEARD) unheard();
    n += 1;
    wish();
  }, AGAIN_MS);
}
