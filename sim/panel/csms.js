// The built-in CSMS: orders by a form, misbehaviour, transactions. Knows its interface under /csms/.

import { ask, onTrouble } from "./api.js";
import { element, find } from "./dom.js";
import { formOf } from "./form.js";

const CHANGES = ["StartTransaction", "StopTransaction", "TransactionEvent", "MeterValues"];
const SLOW_S = 20;
const GATHER_MS = 400;

let identity = "";
let protocol = "";
let payload = () => ({});
let due = null;

/** Whether this world has one; then its part of the page is shown. */
export async function begin() {
  try {
    await ask("/csms/state");
  } catch {
    return;
  }
  find("csms").hidden = false;
  find("order").onsubmit = (event) => { event.preventDefault(); send(); };
  find("mischief").onsubmit = (event) => { event.preventDefault(); misbehave(); };
  find("action").onchange = showForm;
  find("registration").onchange = () => ask("/csms/options", "POST", { registration: find("registration").value });
}

/** Another charge point, or another version of it. */
export async function use(name, version) {
  if (find("csms").hidden || !version || (name === identity && version === protocol)) return;
  [identity, protocol] = [name, version];
  const { orders, calls } = await ask(`/csms/actions?protocol=${version}`);
  find("action").replaceChildren(...orders.map((action) => element("option", { textContent: action })));
  find("calls").replaceChildren(...calls.map((action) => element("option", { value: action })));
  await showForm();
  refresh();
}

/** A message passed: the list of transactions may have changed. */
export function heard(event) {
  if (find("csms").hidden || due || !CHANGES.includes(event.action)) return;
  due = setTimeout(() => { due = null; refresh(); }, GATHER_MS);
}

async function showForm() {
  const schema = await ask(`/csms/schema?protocol=${protocol}&action=${find("action").value}`);
  payload = formOf(find("fields"), schema);
}

async function send() {
  find("answer").textContent = "…";
  try {
    const answer = await ask("/csms/send", "POST", { identity, action: find("action").value, payload: payload() });
    find("answer").textContent = answer.error ? `refused: ${answer.error.code} ${answer.error.description}` : JSON.stringify(answer.payload);
  } catch (error) {
    find("answer").textContent = error.message;
  }
}

async function misbehave() {
  const what = find("what").value;
  const action = find("at").value || null;
  const order = { what, action, identity, ...(what === "slow" ? { seconds: SLOW_S } : {}) };
  try {
    await ask("/csms/misbehave", "POST", order);
    find("answer").textContent = `ordered: ${find("what").selectedOptions[0].textContent}, at the next ${action ?? "message"}`;
  } catch (error) {
    find("answer").textContent = error.message;
  }
}

async function refresh() {
  const state = await ask("/csms/state");
  const mine = state.transactions.filter((row) => row.identity === identity).reverse();
  find("sessions").replaceChildren(...mine.map(sessionRow));
  find("registration").value = state.options.registration;
}

function sessionRow(row) {
  const cells = [row.id.slice(0, 8), row.evse ?? row.connector ?? "", row.token ?? "", clock(row.started_at), row.ended ? clock(row.ended_at) : "running", energy(row), row.reason ?? ""];
  return element("tr", {}, ...cells.map((text, index) => element("td", { textContent: text, className: index === 5 ? "number" : "" })));
}

const clock = (text) => (text ? text.slice(11, 19) : "");

function energy(row) {
  const last = row.meter_stop_wh ?? row.registers.at(-1)?.[1];
  const first = row.meter_start_wh ?? row.registers[0]?.[1];
  return last === undefined || first === undefined ? "" : ((last - first) / 1000).toFixed(3);
}
