// Making and filling nodes. Knows nothing else.

export const find = (id) => document.getElementById(id);

/** element("button", { type: "button", onclick }, "text", child, ...) */
export function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

export const button = (text, onclick, more = {}) => element("button", { type: "button", textContent: text, onclick, ...more });

const GOOD = ["on", "up", "connected", "Charging", "Available"];
const WAITS = ["Preparing", "SuspendedEV", "SuspendedEVSE", "Finishing", "stall", "service", "Reserved"];

/** A word with the colour it deserves. */
export function tag(node, word) {
  node.textContent = word;
  node.className = `tag ${GOOD.includes(word) ? "on" : WAITS.includes(word) ? "wait" : "bad"}`;
}

/** Rows of [name, value]. */
export function list(node, rows) {
  node.replaceChildren(...rows.flatMap(([name, value]) => [element("dt", { textContent: name }), element("dd", { textContent: value })]));
}
