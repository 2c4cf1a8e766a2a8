// The page of one charge point: shows the state, sends the acts. Knows the control API and nothing behind it.

const LINES = 300;
const GOOD = ["on", "up", "connected", "Charging", "Available", "closed"];
const POLL_MS = 1000;

const find = (id) => document.getElementById(id);
let base = "/api";
let faults = {};
let stream = null;
let pending = false;

async function call(method, path, body) {
  const answer = await fetch(`${base}/${path}`, { method, body: body === undefined ? undefined : JSON.stringify(body) });
  const data = await answer.json();
  if (!answer.ok) throw new Error(data.error);
  return data;
}

async function act(method, path, body) {
  try {
    await call(method, path, body);
    find("message").textContent = "";
  } catch (error) {
    find("message").textContent = error.message;
  }
  refresh();
}

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

function tag(node, word, bad = false) {
  node.textContent = word;
  node.className = `tag ${GOOD.includes(word) ? "on" : bad ? "bad" : ""}`;
}

const figures = (list, unit, digits = 1) => `${list.map((value) => value.toFixed(digits)).join(" / ")} ${unit}`;

function facts(evse, connectors) {
  const rows = [
    ["pilot", `${evse.pilot.state}  ${evse.pilot.high_v.toFixed(1)} V / ${evse.pilot.low_v.toFixed(1)} V, duty ${evse.pilot.duty_percent.toFixed(1)} %`],
    ["contactor", `${evse.contactor}, coil ${evse.coil ? "on" : "off"}, mirror ${evse.mirror}`],
    ["outlet", `${figures(evse.outlet_v, "V", 0)}`],
    ["current", figures(evse.current_a, "A")],
    ["power, energy", `${(evse.power_w / 1000).toFixed(2)} kW, ${(evse.energy_wh / 1000).toFixed(3)} kWh`],
    ["lock", `${evse.lock ?? "none"} (feedback ${evse.lock_feedback ?? "none"})`],
    ["residual current", `${evse.rcd.leak_ma.toFixed(1)} mA${evse.rcd.tripped ? ", tripped" : ""}${evse.rcd.testing ? ", testing" : ""}`],
    ["car", evse.plugged ? (evse.ev ? (evse.ev.ready === false ? "plugged in, not ready" : "plugged in") : "cable only") : "none"],
  ];
  for (const connector of connectors) {
    rows.push([`connector ${connector.connector}`, `${connector.status}${connector.transaction ? `, transaction ${connector.transaction}` : ""}`]);
    rows.push(["limit", `${(connector.limit_a ?? 0).toFixed(1)} A`]);
    const reason = connector.sentence ?? connector.reason;
    if (reason) rows.push(["reason", reason]);
  }
  const list = element("dl");
  for (const [name, value] of rows) list.append(element("dt", { textContent: name }), element("dd", { textContent: value, className: name === "reason" ? "reason" : "" }));
  return list;
}

function newCard(id) {
  const button = (text, path, body) => element("button", { type: "button", textContent: text, onclick: () => act("POST", `evse/${id}/${path}`, body) });
  const select = element("select", { ariaLabel: `fault of EVSE ${id}` });
  for (const [group, names] of Object.entries(faults)) {
    select.append(element("optgroup", { label: group }, ...names.map((name) => element("option", { textContent: name }))));
  }
  const own = (method, path, body) => () => act(method, `evse/${id}/${path()}`, body && body());
  const card = element("section", { id: `evse-${id}`, ariaLabel: `EVSE ${id}` },
    element("h2", {}, `EVSE ${id} `, element("span", { className: "tag" })),
    element("div", { className: "facts" }),
    element("div", { className: "row" }, button("plug in", "plug-in", {}), button("unplug", "unplug"), button("car ready", "ev", { ready: true }),
      button("car not ready", "ev", { ready: false })),
    element("div", { className: "row" }, select,
      element("button", { type: "button", textContent: "lay on", onclick: own("POST", () => "fault", () => ({ fault: select.value })) }),
      element("button", { type: "button", textContent: "take away", onclick: own("DELETE", () => `fault/${select.value}`) }),
      element("button", { type: "button", textContent: "technician clears", onclick: own("POST", () => "clear", () => ({ fault: select.value })) })),
    element("div", { className: "row active" }));
  find("evses").append(card);
  return card;
}

function showEvse(evse, station) {
  const card = find(`evse-${evse.id}`) ?? newCard(evse.id);
  const connectors = (station?.connectors ?? []).filter((connector) => connector.evse === evse.id);
  const status = connectors[0]?.status ?? "no answer";
  tag(card.querySelector("h2 .tag"), status, status === "Faulted" || status === "no answer");
  card.querySelector(".facts").replaceChildren(facts(evse, connectors));
  card.querySelector(".active").textContent = evse.faults.length ? `faults laid on: ${evse.faults.join(", ")}` : "";
}

function show(state) {
  tag(find("power"), state.power, true);
  tag(find("network"), state.network, true);
  const station = state.station;
  tag(find("connected"), station ? (station.connected ? "connected" : "not connected") : "no answer", true);
  find("waiting").textContent = station ? `${station.ocpp ?? ""} ${station.registration ?? ""}, ${station.facts_waiting} facts waiting` : "";
  for (const evse of state.evses) showEvse(evse, station);
}

async function refresh() {
  if (pending) return;
  pending = true;
  try {
    show(await call("GET", "state"));
  } catch (error) {
    find("message").textContent = `the world does not answer: ${error.message}`;
  } finally {
    pending = false;
  }
}

function addLine(event) {
  const { id, time, at_s, source, what, ...details } = event;
  const log = find("events");
  log.textContent = [`${time.slice(11, 23)} ${source} ${what} ${Object.keys(details).length ? JSON.stringify(details) : ""}`, ...log.textContent.split("\n")].slice(0, LINES).join("\n");
}

function listen() {
  stream?.close();
  find("events").textContent = "";
  stream = new EventSource(`${base}/events?after=0`);
  stream.onmessage = (message) => { addLine(JSON.parse(message.data)); refresh(); };
}

async function start() {
  faults = await (await fetch("/api/faults")).json();
  const stations = await (await fetch("/api/stations")).json();
  find("station").append(...stations.map((row) => element("option", { value: row.station, textContent: row.identity })));
  find("choice").hidden = stations.length < 2;
  const choose = () => {
    const index = find("station").selectedIndex;
    base = `/api/stations/${stations[index].station}`;
    find("title").textContent = `Charge point ${stations[index].identity}`;
    find("evses").replaceChildren();
    listen();
    refresh();
  };
  find("station").onchange = choose;
  choose();
}

find("swipe").onsubmit = (event) => { event.preventDefault(); act("POST", "rfid/swipe", { uid: find("uid").value }); };
find("kill").onsubmit = (event) => { event.preventDefault(); act("POST", "kill", { process: find("process").value, signal: find("signal").value }); };
for (const button of document.querySelectorAll("[data-post]")) {
  button.onclick = () => act("POST", button.dataset.post, JSON.parse(button.dataset.body));
}
setInterval(refresh, POLL_MS);
start();
