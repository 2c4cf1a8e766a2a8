// What was charged at this charge point, with or without a CSMS. Knows the rows of /api/sessions and the live registers.

import { get } from "./api.js";
import { element, find } from "./dom.js";

const CHANGES = ["plugged", "unplugged", "swipe", "contactor"];
const GATHER_MS = 300;

let due = null;
let running = [];

export function begin() {
  running = [];
  refresh();
}

/** An event of the world. */
export function heard(event) {
  if (due || !CHANGES.includes(event.what)) return;
  due = setTimeout(() => { due = null; refresh(); }, GATHER_MS);
}

/** The state as it is now: the energy of what still runs goes on. */
export function show(evses) {
  for (const row of running) {
    const evse = evses.find((one) => one.id === row.evse);
    row.at ??= evse.energy_wh;
    row.cell.textContent = kwh(row.energy_wh + evse.energy_wh - row.at);
  }
}

async function refresh() {
  const rows = await get("sessions");
  running = [];
  find("charged").replaceChildren(...rows.map(node));
}

function node(row) {
  const cell = element("td", { className: "number", textContent: kwh(row.energy_wh) });
  if (!row.ended) running.push({ ...row, cell });
  const texts = [row.evse, clock(row.began), row.ended ? clock(row.ended) : "plugged in", row.cards.join(", ")];
  return element("tr", {}, ...texts.map((text) => element("td", { textContent: text })), cell);
}

const kwh = (wh) => (wh / 1000).toFixed(3);
const clock = (text) => text.slice(11, 19);
