// Words that were kept, added or removed. What was added is underlined, what was removed is struck through; both are
// named for those who hear them. This file is joined with those that use it.

const SIGNS = { added: "ins", removed: "del" };

function drawPieces(box, pieces) {
  for (const [kind, text] of pieces) {
    if (!SIGNS[kind]) {
      box.append(text);
      continue;
    }
    const piece = add(box, SIGNS[kind], "");
    add(piece, "span", "cometnb-spoken", `${kind}: `);
    piece.append(text);
  }
}
