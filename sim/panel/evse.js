// One EVSE on the page: picture, car, pilot, plots, figures, faults. Knows the state of an EVSE and its calls.

import { act } from "./api.js";
import { button, element, list, tag } from "./dom.js";
import { faultBoard } from "./faults.js";
import { picture, soc } from "./picture.js";
import { Plot } from "./plots.js";
import { drawPilot, words } from "./scope.js";

const FULL_WH = 60000;
const figures = (values, unit, digits = 1) => `${values.map((value) => value.toFixed(digits)).join(" / ")} ${unit}`;

/** The section of EVSE `id`, with `show(evse, connectors)`. */
export function evseCard(id, vehicles, faults) {
  const call = (path, body, method) => act(`evse/${id}/${path}`, body, method);
  const part = {
    status: element("b", { className: "tag" }),
    reason: element("p", { className: "reason" }),
    picture: picture(id),
    scope: element("canvas"),
    pilot: element("figcaption"),
    current: element("canvas"),
    limit: element("span"),
    power: element("canvas"),
    energy: element("canvas"),
    facts: element("dl"),
    faults: faultBoard(faults, call),
    car: carForm(id, vehicles, call),
  };
  part.reason.setAttribute("aria-live", "polite");
  for (const canvas of [part.scope, part.current, part.power, part.energy]) canvas.setAttribute("role", "img");
  part.current.setAttribute("aria-label", "current of each phase and limit over time");
  part.power.setAttribute("aria-label", "power over time");
  part.energy.setAttribute("aria-label", "energy over time");
  const plots = [new Plot(part.current, "A", ["--blue", "--trace", "--wait", "--red"], 16), new Plot(part.power, "kW", ["--blue"], 4), new Plot(part.energy, "Wh", ["--trace"], 10)];
  let firstWh = null;
  const card = element("section", { id: `evse-${id}` },
    element("h2", {}, `EVSE ${id} `, part.status), part.reason, part.picture, part.car,
    element("div", { className: "two" },
      element("figure", {}, part.scope, part.pilot),
      element("figure", {}, part.current, element("figcaption", {}, "current of L1, L2, L3 (blue, green, amber) and the limit (red)", part.limit))),
    element("div", { className: "two" },
      element("figure", {}, part.power, element("figcaption", {}, "power")),
      element("figure", {}, part.energy, element("figcaption", {}, "energy since this page was opened"))),
    part.facts, part.faults);
  card.setAttribute("aria-label", `EVSE ${id}`);
  card.show = (evse, connectors) => {
    firstWh ??= evse.energy_wh;
    show(part, plots, evse, connectors);
    plots[2].add(performance.now() / 1000, [evse.energy_wh - firstWh]);
  };
  return card;
}

function show(part, plots, evse, connectors) {
  const first = connectors[0];
  tag(part.status, first?.status ?? "no answer");
  const reason = first?.sentence ?? first?.reason ?? "The firmware does not answer.";
  if (part.reason.textContent !== reason) part.reason.textContent = reason;
  part.picture.show(evse);
  drawPilot(part.scope, evse.pilot);
  part.pilot.textContent = `control pilot: ${words(evse.pilot)}`;
  const now = performance.now() / 1000;
  plots[0].add(now, [...evse.current_a, first?.limit_a ?? 0]);
  plots[1].add(now, [evse.power_w / 1000]);
  part.limit.textContent = first ? `limit ${(first.limit_a ?? 0).toFixed(1)} A: ${first.sentence ?? first.reason}` : "";
  list(part.facts, rows(evse, connectors));
  part.faults.show(evse.faults);
  part.car.show(evse);
}

function rows(evse, connectors) {
  const heat = Object.entries(evse.temperatures_c).map(([place, degrees]) => `${place} ${degrees.toFixed(1)} °C`);
  return [
    ["current", figures(evse.current_a, "A")],
    ["energy", `${(evse.energy_wh / 1000).toFixed(3)} kWh`],
    ["outlet", figures(evse.outlet_v, "V", 0)],
    ["contactor", `${evse.contactor}, coil ${evse.coil ? "on" : "off"}, mirror contact ${evse.mirror}`],
    ["lock", evse.lock === null ? "none, tethered cable" : `${evse.lock}, feedback ${evse.lock_feedback}`],
    ["residual current", `${evse.rcd.leak_ma.toFixed(1)} mA${evse.rcd.tripped ? ", tripped" : ""}${evse.rcd.testing ? ", testing" : ""}`],
    ["temperature", heat.join(", ")],
    ...connectors.flatMap((connector) => [
      [`connector ${connector.connector}`, connector.status],
      ["limit", `${(connector.limit_a ?? 0).toFixed(1)} A`],
      ...(connector.transaction ? [["transaction", connector.transaction]] : []),
    ]),
  ];
}

function carForm(id, vehicles, call) {
  const name = (text) => `${text} of EVSE ${id}`;
  const kind = element("select", { ariaLabel: name("car") }, element("option", { value: "", textContent: "an ordinary car" }),
    ...vehicles.map((row) => element("option", { value: row.profile, textContent: row.name, title: row.text })));
  const charge = element("input", { type: "range", min: 0, max: 100, value: 40, ariaLabel: name("state of charge at the plug-in") });
  const shown = element("span", { textContent: "40 %" });
  charge.oninput = () => { shown.textContent = `${charge.value} %`; };
  const plug = () => call("plug-in", { ev: { ...(kind.value ? { profile: kind.value } : {}), capacity_wh: FULL_WH, energy_wh: (FULL_WH * charge.value) / 100 } });
  const ready = button("pause in the car", () => call("ev", { ready: !isReady }));
  const limit = element("input", { type: "number", min: 0, max: 80, step: 1, value: 32, ariaLabel: name("the car's greatest current in A") });
  limit.onchange = () => call("ev", { max_current_a: Number(limit.value) });
  const end = button("plug out at the car", () => call(there ? "ev-unplug" : "ev-plug"));
  let isReady = true;
  let there = true;
  const before = element("div", { className: "row" }, kind, element("label", {}, "full to ", charge, shown), button("plug in", plug, { className: "main" }));
  const after = element("div", { className: "row" }, button("unplug", () => call("unplug"), { className: "main" }), end, ready,
    element("label", {}, "draws up to ", limit, " A"));
  const note = element("p");
  const form = element("div", {}, before, after, note);
  form.show = (evse) => {
    const plugged = evse.plugged || evse.pp_ohm !== null;
    before.hidden = plugged;
    after.hidden = !plugged;
    there = evse.ev !== null;
    isReady = evse.ev?.ready ?? true;
    end.textContent = there ? "plug out at the car" : "plug in at the car";
    ready.textContent = isReady ? "pause in the car" : "go on in the car";
    if (there && document.activeElement !== limit) limit.value = evse.ev.max_current_a;
    note.textContent = there ? carWords(evse.ev, vehicles) : "";
  };
  return form;
}

function carWords(ev, vehicles) {
  const known = vehicles.find((row) => row.profile === ev.profile);
  const charge = soc(ev);
  const parts = [known ? known.name : "an ordinary car", `draws ${ev.draw_a.toFixed(1)} A on ${ev.phases} phase${ev.phases === 1 ? "" : "s"}`];
  if (charge !== null) parts.push(`${(100 * charge).toFixed(1)} % full`);
  if (ev.asleep) parts.push("asleep");
  if (ev.latched) parts.push("has given up until it is plugged in anew");
  return parts.join(", ") + (known?.text ? `. ${known.text}` : ".");
}
