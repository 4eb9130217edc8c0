// The row of presets: chosen from a list; saved, renamed, deleted and shared in a line that is folded away.
// This file is joined with panel.js.

class Presets {
  constructor(deck, head) {
    this.deck = deck;
    const box = add(head, "div", "cometnb-presets");
    this.list = add(box, "select", "");
    this.list.setAttribute("aria-label", "Preset");
    this.list.title = "Load the settings of a preset";
    this.list.addEventListener("change", () => {
      if (this.list.value) deck.act("preset_load", { name: this.list.value });
      this.name.value = this.list.value;
    });
    const open = button(box, "", "Save, share", () => this.toggle(), "Save, rename, delete and share presets");
    this.open = open;
    open.ariaExpanded = "false";
    this.line = add(head, "div", "cometnb-preset-line");
    this.line.hidden = true;
    this.build();
    this.show();
  }

  build() {
    const { deck, line } = this;
    this.name = add(line, "input", "cometnb-text");
    this.name.placeholder = "name of the preset";
    this.name.setAttribute("aria-label", "Name of the preset");
    const act = (op) => () => deck.act(op, { name: this.name.value.trim(), before: this.list.value });
    button(line, "", "Save", act("preset_save"), "Save these settings under this name");
    this.rename = button(line, "", "Rename", act("preset_rename"), "Give the chosen preset this name");
    this.delete = button(line, "", "Delete", act("preset_delete"), "Delete the chosen preset");
    this.name.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && !event.ctrlKey && !event.metaKey) act("preset_save")();
    });
    this.shared = add(line, "input", "cometnb-text cometnb-shared");
    this.shared.placeholder = "settings as one line: paste one, or press Share";
    this.shared.setAttribute("aria-label", "Settings as one line of text");
    this.shared.spellcheck = false;
    button(line, "", "Share", () => deck.act("share"), "Put these settings into one line, on the clipboard");
    const load = () => this.shared.value.trim() && deck.act("load", { text: this.shared.value });
    button(line, "", "Load", load, "Take over settings from this line: a shared line or code in any form");
  }

  toggle() {
    this.line.hidden = !this.line.hidden;
    this.open.ariaExpanded = String(!this.line.hidden);
    if (!this.line.hidden) this.name.focus();
  }

  show() {
    const { own, shipped, chosen } = this.deck.model.get("presets");
    this.list.replaceChildren(new Option("Presets", ""));
    for (const [label, names] of [["Yours", own], ["Shipped", shipped]]) {
      if (!names.length) continue;
      const group = add(this.list, "optgroup", "");
      group.label = label;
      group.append(...names.map((name) => new Option(name, name)));
    }
    this.list.value = chosen;
    for (const key of [this.rename, this.delete]) key.disabled = !own.includes(chosen);
    if (this.name && chosen) this.name.value = chosen;
  }

  async share(text) {
    this.shared.value = text;
    this.line.hidden = false;
    this.open.ariaExpanded = "true";
    const isCopied = await copyText(text);
    this.deck.say({ words: isCopied ? "The line is on the clipboard." : "The line stands above, to be copied." });
  }
}
