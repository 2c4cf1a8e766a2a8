// The built-in CSMS: what it knows of stations, cards and transactions. Knows its interface under /csms/.

import { ask } from "./api.js";
import { button, element, find } from "./dom.js";
import * as mischief from "./mischief.js";
import * as order from "./order.js";

const CHANGES = ["BootNotification", "StartTransaction", "StopTransaction", "TransactionEvent", "MeterValues"];
const GATHER_MS = 400;

let identity = "";
let protocol = "";
let due = null;

/** Whether this world has one; then its part of the page is shown. */
export async function begin() {
  try {
    await ask("/csms/summary");
  } catch {
    return;
  }
  find("csms").hidden = false;
  order.begin();
  mischief.begin(refresh);
  find("prices").onsubmit = (event) => { event.preventDefault(); setPrices(new FormData(event.target)); };
  find("card").onsubmit = (event) => { event.preventDefault(); keepCard(new FormData(event.target)); event.target.reset(); };
}

/** Another charge point, or another version of it. */
export async function use(name, version) {
  if (find("csms").hidden || !version || (name === identity && version === protocol)) return;
  [identity, protocol] = [name, version];
  const { orders, calls } = await ask(`/csms/actions?protocol=${version}`);
  mischief.use(identity, calls);
  await order.use(identity, protocol, orders);
  refresh();
}

/** A message passed: what is listed may have changed. */
export function heard(event) {
  if (find("csms").hidden || due || !CHANGES.includes(event.action)) return;
  due = setTimeout(() => { due = null; refresh(); }, GATHER_MS);
}

async function refresh() {
  const state = await ask("/csms/summary");
  const { options } = state;
  find("sessions").replaceChildren(...state.transactions.filter((row) => row.identity === identity).map((row) => sessionRow(row, options)));
  find("price").textContent = `${options.price_per_kwh} ${options.currency} per kWh${options.price_per_session ? `, ${options.price_per_session} per session` : ""}`;
  for (const input of find("prices").querySelectorAll("input")) if (input !== document.activeElement) input.value = options[input.name];
  find("known").replaceChildren(...Object.entries(state.cards).map(cardRow));
  find("met").replaceChildren(...state.stations.map(stationRow));
  mischief.show(state);
}

async function setPrices(form) {
  await ask("/csms/options", "POST", {
    price_per_kwh: Number(form.get("price_per_kwh")), price_per_session: Number(form.get("price_per_session")), currency: form.get("currency"),
  });
  refresh();
}

async function setCard(uid, card) {
  await ask("/csms/cards", "POST", { [uid]: card });
  refresh();
}

const keepCard = (form) => setCard(form.get("uid").trim(), { status: form.get("status"), group: form.get("group") || null });

function cardRow([uid, card]) {
  const words = ` ${card.status}${card.group ? `, group ${card.group}` : ""} `;
  return element("li", {}, element("code", { textContent: uid }), words, button("forget", () => setCard(uid, null), { ariaLabel: `forget card ${uid}` }));
}

function stationRow(row) {
  const statuses = Object.entries(row.statuses).map(([place, status]) => `${place} ${status}`).join(", ");
  const parts = [row.connected ? `connected, ${row.protocol}` : "not connected", row.registration ?? "not booted", `${row.connections} connections`, statuses];
  return element("li", {}, element("b", { textContent: row.identity }), ` ${parts.filter(Boolean).join("; ")}`);
}

function sessionRow(row, options) {
  const cells = [row.id.slice(0, 8), row.evse ?? row.connector ?? "", row.token ?? "", clock(row.started_at), row.ended ? clock(row.ended_at) : "running",
    (row.energy_wh / 1000).toFixed(3), `${row.cost.toFixed(2)} ${options.currency}`, row.reason ?? ""];
  return element("tr", {}, ...cells.map((text, index) => element("td", { textContent: text, className: index === 5 || index === 6 ? "number" : "" })));
}

const clock = (text) => (text ? text.slice(11, 19) : "");
