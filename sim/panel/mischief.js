// How the built-in CSMS misbehaves on order. Knows the kinds and their one detail each.

import { ask } from "./api.js";
import { element, find } from "./dom.js";

/** kind: [words, name of its detail, what it is at first]. */
const KINDS = {
  slow: ["answer late", "seconds", 20],
  no_answer: ["do not answer"],
  wrong_id: ["answer with a wrong id"],
  duplicate: ["answer twice"],
  call_error: ["answer with an error", "code", "InternalError"],
  bad_payload: ["answer with an empty payload"],
  nonsense: ["answer with nonsense", "text", "this is no OCPP message"],
  close: ["close instead"],
  close_mid_message: ["break off in mid-message"],
};

const SHOWN = "shown from now on; every charge point dials anew, and its log says what it thinks of it";

let identity = "";
let changed = () => {};

export function begin(onChange) {
  changed = onChange;
  find("what").replaceChildren(...Object.entries(KINDS).map(([kind, [words]]) => element("option", { value: kind, textContent: words })));
  find("what").onchange = showDetail;
  find("mischief").onsubmit = (event) => { event.preventDefault(); attempt(misbehave); };
  find("behave").onclick = () => attempt(() => ask("/csms/misbehave", "DELETE"), "it behaves again");
  find("registration").onchange = () => option({ registration: find("registration").value });
  find("clock").onchange = () => option({ clock_wrong_by_s: Number(find("clock").value) });
  find("style").onchange = () => option({ times: find("style").value });
  find("certificate").onchange = () => attempt(() => ask("/csms/tls", "POST", { certificate: find("certificate").value }), SHOWN);
  find("close").onclick = () => attempt(() => ask("/csms/disconnect", "POST", { identity }), "closed");
  showDetail();
}

/** Another charge point. calls: what it may call. */
export function use(name, calls) {
  identity = name;
  find("calls").replaceChildren(...calls.map((action) => element("option", { value: action })));
}

/** What the CSMS says of itself. */
export function show({ options, misbehaviours, certificate }) {
  find("tls").hidden = !certificate;
  find("no-tls").hidden = Boolean(certificate);
  if (certificate) find("certificate").value = certificate;
  find("registration").value = options.registration;
  find("style").value = options.times;
  if (document.activeElement !== find("clock")) find("clock").value = options.clock_wrong_by_s;
  const bad = misbehaviours.map((row) => `${KINDS[row.what][0]}${row.action ? ` (${row.action})` : ""}`);
  find("waits").textContent = bad.length ? `ordered: ${bad.join(", ")}` : "";
}

function showDetail() {
  const [, name, value] = KINDS[find("what").value];
  const [label, input] = find("detail").children;
  find("detail").hidden = !name;
  label.textContent = name ?? "";
  Object.assign(input, { value: value ?? "", type: typeof value === "number" ? "number" : "text" });
}

async function misbehave() {
  const what = find("what").value;
  const [words, name, first] = KINDS[what];
  const detail = find("detail").lastElementChild.value;
  const action = find("at").value || null;
  const count = find("times").value ? Number(find("times").value) : null;
  await ask("/csms/misbehave", "POST", { what, action, identity, count, ...(name ? { [name]: typeof first === "number" ? Number(detail) : detail } : {}) });
  return `ordered: ${words}, at the next ${action ?? "message"}`;
}

const option = (change) => attempt(() => ask("/csms/options", "POST", change), "set");

async function attempt(act, words) {
  try {
    const said = await act();
    find("answer").textContent = words ?? said;
  } catch (error) {
    find("answer").textContent = error.message;
  }
  changed();
}
