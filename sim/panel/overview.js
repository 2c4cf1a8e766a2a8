// All charge points of a world on one page: a tile each, that opens its panel. Knows the tiles of /api/overview.

import { ask, follow } from "./api.js";
import { button, element, find, tag } from "./dom.js";

const ACTS = [
  ["plug in everywhere", "plug-in", "evse"], ["swipe everywhere", "rfid/swipe", "card"], ["unplug everywhere", "unplug", "evse"],
  ["network down everywhere", "network", { state: "down" }], ["network up everywhere", "network", { state: "up" }],
];
const CARD = "04A1B2C3";

let shown = new Map();
let end = () => {};

/** Follows all charge points; lost: what to do when the world does not answer. */
export function open(lost) {
  end = follow("/api/overview", take, lost);
}

/** Nobody looks any more. */
export function close() {
  end();
  shown = new Map();
  find("tiles").replaceChildren();
}

export function begin() {
  find("everywhere").replaceChildren(...ACTS.map(([words, path, what]) => button(words, () => everywhere(path, what))));
}

function take(tiles) {
  find("message").textContent = "";
  for (const tile of tiles) {
    if (!shown.has(tile.station)) shown.set(tile.station, { node: find("tiles").appendChild(tileNode(tile.station)) });
    Object.assign(shown.get(tile.station), { tile });
    fill(shown.get(tile.station).node.firstElementChild, tile);
  }
  const all = [...shown.values()].map((one) => one.tile);
  const evses = all.flatMap((tile) => tile.evses);
  const power = evses.reduce((sum, evse) => sum + evse.power_kw, 0);
  const charging = evses.filter((evse) => evse.status === "Charging").length;
  find("sum").textContent = `${all.length} charge points, ${all.filter((tile) => tile.connected).length} connected, ${charging} charging, ${power.toFixed(1)} kW`;
}

const tileNode = (station) => element("li", {}, element("a", { href: `#${station}`, className: "tile" }));

function fill(link, tile) {
  const word = element("b", {});
  tag(word, tile.power !== "on" ? `power ${tile.power}` : !tile.answers ? "no answer" : tile.connected ? "connected" : "not connected");
  link.replaceChildren(element("span", { className: "head" }, element("strong", { textContent: tile.identity }), word, ` ${tile.ocpp ?? ""}`), ...tile.evses.map(evseRow));
}

function evseRow(evse) {
  const status = element("b", {});
  tag(status, evse.status ?? "no answer");
  const words = [`${evse.power_kw.toFixed(1)} kW`, `${evse.energy_kwh.toFixed(2)} kWh`, evse.car ? "car" : "no car", `contactor ${evse.contactor}`];
  const row = element("span", { className: "line" }, element("i", { className: `lamp ${evse.lamp ?? ""}`, ariaHidden: "true" }), status, ` ${words.join(", ")}`);
  return element("span", { className: "evse" }, row, element("small", { textContent: evse.faults.length ? `faults: ${evse.faults.join(", ")}` : evse.reason ?? "" }));
}

/** The same act at every charge point; refusals are counted, not told one by one. */
async function everywhere(path, what) {
  const calls = [...shown.values()].flatMap(({ tile }) => {
    const base = `/api/stations/${tile.station}/`;
    return what === "evse" ? tile.evses.map((evse) => [`${base}evse/${evse.evse}/${path}`, {}]) : [[base + path, what === "card" ? { uid: CARD } : what]];
  });
  const done = await Promise.allSettled(calls.map(([url, body]) => ask(url, "POST", body)));
  const refused = done.filter((one) => one.status === "rejected");
  find("message").textContent = refused.length ? `${refused.length} of ${calls.length} refused: ${refused[0].reason.message}` : "";
}
