// What the parts of the panel are made of, besides `add`. Nothing is fetched, and nothing is inserted as HTML.

function button(parent, className, text, act, title) {
  const key = add(parent, "button", className, text);
  key.type = "button";
  if (title) key.title = title;
  key.addEventListener("click", act);
  return key;
}
