// The fault board: every fault of the world at a click, and the technician's key. Knows names, not what they do.

import { button, element } from "./dom.js";

/** groups: names by group; call: the EVSE's calls. With `show(active)`. */
export function faultBoard(groups, call) {
  const buttons = new Map();
  const fields = Object.entries(groups).map(([group, names]) => element("fieldset", {}, element("legend", { textContent: group }),
    ...names.map((name) => {
      const made = button(name, () => (made.ariaPressed === "true" ? call(`fault/${name}`, undefined, "DELETE") : call("fault", { fault: name })), { ariaPressed: "false" });
      buttons.set(name, made);
      return made;
    })));
  const key = element("select", { ariaLabel: "latched fault" }, ...Object.values(groups).flat().map((name) => element("option", { textContent: name })));
  const count = element("span");
  const board = element("details", { className: "faults" }, element("summary", {}, "faults ", count), ...fields,
    element("div", { className: "row" }, "the technician's key clears", key, button("turn it", () => call("clear", { fault: key.value }))));
  board.show = (active) => {
    for (const [name, made] of buttons) made.ariaPressed = String(active.includes(name));
    count.textContent = active.length ? `laid on: ${active.join(", ")}` : "none";
    if (active.length && !board.open) key.value = active[0];
  };
  return board;
}
