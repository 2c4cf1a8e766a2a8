// The page of a world: which charge point is shown, its streams, and the acts that are not an EVSE's. Knows the parts of the page.

import * as api from "./api.js";
import * as csms from "./csms.js";
import { element, find, tag } from "./dom.js";
import { evseCard } from "./evse.js";
import { nextStep } from "./guide.js";
import * as overview from "./overview.js";
import * as sessions from "./sessions.js";
import * as talk from "./talk.js";

const LINES = 300;
const UNKNOWN_CARD = "DEADBEEF";
const CARDS_KEPT = 20;
const LOG_LINES = 200;

let faults = {};
let vehicles = [];
let identity = "";
let ends = [];
let stations = [];

function show(state) {
  tag(find("power"), state.power);
  tag(find("network"), state.network);
  const station = state.station;
  tag(find("connected"), station ? (station.connected ? "connected" : "not connected") : "no answer");
  find("waiting").textContent = station ? `${station.ocpp ?? ""} ${station.registration ?? ""}${station.facts_waiting ? `, ${station.facts_waiting} facts waiting` : ""}` : "";
  csms.use(identity, station?.ocpp);
  const next = nextStep(state);
  if (find("next").textContent !== next) find("next").textContent = next;
  for (const evse of state.evses) {
    const card = find(`evse-${evse.id}`) ?? find("evses").appendChild(evseCard(evse.id, vehicles, faults));
    card.show(evse, (station?.connectors ?? []).filter((connector) => connector.evse === evse.id));
  }
  sessions.show(state.evses);
}

function happened(event) {
  addLine(event);
  sessions.heard(event);
  if (event.what === "violation") lookForWrong();
}

function addLine({ id, time, at_s, source, what, ...details }) {
  const line = `${time.slice(11, 23)} ${source} ${what} ${Object.keys(details).length ? JSON.stringify(details) : ""}`;
  find("events").prepend(`${line}\n`);
  if (find("events").childNodes.length > LINES) find("events").lastChild.remove();
}

async function lookForWrong() {
  const found = await api.get("violations");
  find("wrong").hidden = !found.length;
  find("violations").textContent = found.map((row) => `${row.time ?? ""} EVSE ${row.evse}: ${row.rule ?? row.what ?? JSON.stringify(row)}`).join("\n");
}

async function readLog() {
  const { lines } = await api.get(`log?lines=${LOG_LINES}`);
  find("log").lastElementChild.textContent = lines.reverse().join("\n");
}

const gone = () => { find("message").textContent = "the world does not answer; trying again"; };

/** What the address asks for: one charge point (#3), or all of them. */
function route() {
  ends.forEach((end) => end());
  ends = [];
  overview.close();
  const row = stations.length === 1 ? stations[0] : stations.find((one) => `#${one.station}` === location.hash);
  find("overview").hidden = Boolean(row);
  for (const id of ["board", "lights"]) find(id).hidden = !row;
  find("choice").hidden = !row || stations.length === 1;
  if (row) choose(row);
  else showAll();
}

function showAll() {
  find("title").textContent = document.title = "Charge points";
  overview.open(gone);
}

function choose(row) {
  identity = row.identity;
  api.use(row.station);
  find("station").value = row.station;
  find("title").textContent = `Charge point ${identity}`;
  document.title = identity;
  find("evses").replaceChildren();
  find("events").textContent = "";
  find("log").open = false;
  talk.forget();
  sessions.begin();
  lookForWrong();
  const came = (state) => { if (find("message").textContent.startsWith("the world")) find("message").textContent = ""; show(state); };
  ends = [api.stream("watch", came, gone), api.stream("events?after=0", happened), api.stream("ocpp?after=0", (event) => { talk.hear(event); csms.heard(event); })];
}

function cardsKnown(uid) {
  const known = JSON.parse(localStorage.getItem("cards") ?? "[]").filter((one) => one !== uid);
  localStorage.setItem("cards", JSON.stringify([uid, ...known].slice(0, CARDS_KEPT)));
  showCards();
}

function showCards() {
  const known = JSON.parse(localStorage.getItem("cards") ?? "[]");
  find("cards").replaceChildren(...known.map((uid) => element("option", { value: uid })));
}

function swipe(uid) {
  cardsKnown(uid);
  api.act("rfid/swipe", { uid });
}

async function start() {
  api.onTrouble((text) => { find("message").textContent = text; });
  talk.begin();
  showCards();
  find("swipe").onsubmit = (event) => { event.preventDefault(); swipe(find("uid").value); };
  find("unknown").onclick = () => swipe(UNKNOWN_CARD);
  find("kill").onsubmit = (event) => { event.preventDefault(); api.act("kill", { process: find("process").value, signal: find("signal").value }); };
  for (const one of document.querySelectorAll("[data-post]")) one.onclick = () => api.act(one.dataset.post, JSON.parse(one.dataset.body));
  const answers = await Promise.all(["/api/faults", "/api/vehicles", "/api/stations"].map((path) => api.ask(path)));
  [faults, vehicles, stations] = answers;
  await csms.begin();
  find("station").append(...stations.map((row) => element("option", { value: row.station, textContent: row.identity })));
  find("station").onchange = () => { location.hash = find("station").value; };
  find("log").ontoggle = () => { if (find("log").open) readLog(); };
  find("log").querySelector("button").onclick = readLog;
  overview.begin();
  window.onhashchange = route;
  route();
}

start();
