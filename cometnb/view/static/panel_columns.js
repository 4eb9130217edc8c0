// The head of one column of a comparison: what it asks for, and its words against the first column's.
// This file is joined with panel_parts.js and panel_words.js.

export default {
  render({ model, el }) {
    const root = add(el, "div", "cometnb-column-head");
    const draw = () => {
      const { label, settings, diff } = model.get("column");
      root.replaceChildren();
      const line = add(root, "div", "cometnb-column-line");
      add(line, "strong", "", label);
      const remove = () => model.send({ op: "remove" });
      button(line, "cometnb-off", "×", remove, `Remove ${label}`).setAttribute("aria-label", `Remove ${label}`);
      add(line, "div", "cometnb-mono", settings);
      if (!diff) return;
      add(root, "div", "cometnb-quiet", diff.title);
      drawPieces(add(root, "div", "cometnb-diff"), diff.words);
    };
    model.on("change:column", draw);
    draw();
    return () => model.off("change:column", draw);
  },
};
