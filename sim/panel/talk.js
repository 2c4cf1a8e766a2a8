// The conversation with the CSMS: live, newest first, filtered, each message to be opened. Knows messages, not their meaning.

import { element, find } from "./dom.js";

const KEPT = 400;
const OFTEN = ["Heartbeat", "MeterValues"];
const ARROW = { station: "→", csms: "←" };

let shown = [];

/** One event of /api/ocpp. */
export function hear(event) {
  const row = { event, node: messageNode(event), text: JSON.stringify(event).toLowerCase() };
  shown.unshift(row);
  for (const old of shown.splice(KEPT)) old.node.remove();
  find("talk").prepend(row.node);
  sift(row);
}

export function forget() {
  shown = [];
  find("talk").replaceChildren();
}

export function begin() {
  find("filter").oninput = find("quiet").onchange = () => shown.forEach(sift);
  find("clear").onclick = forget;
}

function sift(row) {
  const wanted = find("filter").value.trim().toLowerCase();
  const often = find("quiet").checked && OFTEN.includes(row.event.action);
  row.node.hidden = often || (wanted !== "" && !row.text.includes(wanted));
}

function messageNode(event) {
  const time = element("time", { textContent: event.time.slice(11, 23), dateTime: event.time });
  const head = element("summary", {}, time, element("span", { textContent: `${ARROW[event.sender] ?? ""} ${title(event)}` }),
    element("span", { className: "ms", textContent: event.ms === undefined ? "" : `${event.ms} ms` }), element("span", { textContent: brief(event.payload) }));
  const body = element("pre");
  const made = element("li", { className: `${event.sender} ${event.what}` }, element("details", {}, head, body));
  made.firstElementChild.ontoggle = () => { body.textContent = JSON.stringify(event.payload ?? event.text ?? event, null, 2); };
  return made;
}

function title(event) {
  if (event.what === "call") return event.action;
  if (event.what === "result") return `${event.action} answered`;
  if (event.what === "error") return `${event.action} refused: ${event.code} ${event.text}`;
  if (event.what === "close") return `closed by the ${event.sender === "csms" ? "CSMS" : "station"} (${event.code}) ${event.text}`;
  return `${event.what}: ${event.text}`;
}

function brief(payload) {
  if (!payload) return "";
  const words = Object.entries(payload).map(([name, value]) => (typeof value === "object" ? `${name} …` : `${name} ${value}`));
  return words.join(", ");
}
