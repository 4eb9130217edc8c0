// What every widget is drawn with. A widget is one module: its files are joined in the kernel, this one first. Every word
// is text; nothing is fetched.

function add(parent, tag, className, text) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}
