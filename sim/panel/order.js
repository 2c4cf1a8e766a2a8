// Orders of the built-in CSMS: a form made from the message's schema, its JSON, and the answer. Knows no message.

import { ask } from "./api.js";
import { element, find } from "./dom.js";
import { formOf } from "./form.js";

let identity = "";
let protocol = "";
let payload = () => ({});

export function begin() {
  find("order").onsubmit = (event) => { event.preventDefault(); send(); };
  find("action").onchange = showForm;
  find("fields").oninput = find("fields").onchange = find("fields").onclick = showJson;
}

/** The orders of another charge point. */
export async function use(name, version, orders) {
  [identity, protocol] = [name, version];
  find("action").replaceChildren(...orders.map((action) => element("option", { textContent: action })));
  await showForm();
}

async function showForm() {
  const schema = await ask(`/csms/schema?protocol=${protocol}&action=${find("action").value}`);
  payload = formOf(find("fields"), schema);
  showJson();
}

function showJson() {
  find("payload").value = JSON.stringify(payload(), null, 2);
}

/** What stands under "as JSON" is sent: the form writes it, a person may change it. */
async function send() {
  find("answer").textContent = "…";
  try {
    const answer = await ask("/csms/send", "POST", { identity, action: find("action").value, payload: JSON.parse(find("payload").value) });
    find("answer").textContent = answer.error ? `refused: ${answer.error.code} ${answer.error.description}` : JSON.stringify(answer.payload);
  } catch (error) {
    find("answer").textContent = error.message;
  }
}
