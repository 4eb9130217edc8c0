// The elements every part of the panel is made of. A widget is one module: its files are joined in the kernel, this one
// first. Every word is text; nothing is fetched, and nothing is inserted as HTML.

function add(parent, tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

function button(parent, className, text, act, title) {
  const key = add(parent, "button", className, text);
  key.type = "button";
  if (title) key.title = title;
  key.addEventListener("click", act);
  return key;
}
