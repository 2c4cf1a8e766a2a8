// The charger, its cable and its car as a picture. Knows the state of an EVSE and SVG.

const MARKUP = `
<svg class="picture" viewBox="0 0 520 220" role="img" aria-labelledby="">
  <title></title>
  <path d="M0 200H520" stroke="var(--line)" stroke-width="2"/>
  <rect x="34" y="34" width="112" height="166" rx="12" fill="var(--ground)" stroke="var(--metal)" stroke-width="3"/>
  <circle data-part="lamp" cx="90" cy="56" r="9" stroke="var(--metal)" stroke-width="2"/>
  <g data-part="poles" stroke="var(--ink)" stroke-width="3" stroke-linecap="round"></g>
  <text x="90" y="146" text-anchor="middle" font-size="11" fill="var(--soft)" data-part="contactor"></text>
  <circle cx="90" cy="172" r="16" fill="var(--paper)" stroke="var(--metal)" stroke-width="3"/>
  <g data-part="lock" fill="none" stroke="var(--soft)" stroke-width="2.5"></g>
  <path data-part="cable" d="M106 172C190 176 220 210 290 196S330 150 352 148" fill="none" stroke="var(--ink)" stroke-width="6" stroke-linecap="round"/>
  <path data-part="flow" class="flow" d="M106 172C190 176 220 210 290 196S330 150 352 148" fill="none" stroke="var(--blue)" stroke-width="3" stroke-linecap="round"/>
  <g data-part="car">
    <path d="M346 172v-26q2-12 16-16l26-8 24-30q6-8 18-8h34q12 0 18 8l16 30 6 4v46z" fill="var(--paper)" stroke="var(--metal)" stroke-width="3" stroke-linejoin="round"/>
    <path d="M402 118l18-22q3-4 9-4h12v26zM450 92h14q7 0 10 5l11 21h-35z" fill="var(--ground)" stroke="var(--metal)" stroke-width="2"/>
    <circle cx="384" cy="178" r="20" fill="var(--ink)"/><circle cx="384" cy="178" r="8" fill="var(--paper)"/>
    <circle cx="470" cy="178" r="20" fill="var(--ink)"/><circle cx="470" cy="178" r="8" fill="var(--paper)"/>
    <rect x="396" y="128" width="78" height="18" rx="4" fill="none" stroke="var(--soft)" stroke-width="2"/>
    <rect data-part="charge" x="398" y="130" width="0" height="14" rx="2" fill="var(--on)"/>
    <text x="435" y="142" text-anchor="middle" font-size="12" font-weight="600" fill="var(--ink)" data-part="percent"></text>
  </g>
  <text x="262" y="60" text-anchor="middle" font-size="26" font-weight="600" fill="var(--ink)" data-part="power"></text>
  <text x="262" y="84" text-anchor="middle" font-size="14" fill="var(--soft)" data-part="offer"></text>
</svg>`;
const COLOURS = { green: "#2fa84f", blue: "#2f7de0", red: "#e0382b" };
const POLES = [0, 1, 2];
const LIVE_A = 0.5;
const STEP_MS = 250;
const STEP = 4;

/** The current runs along the cable in steps: an animation by style would be drawn sixty times a second. */
if (!matchMedia("(prefers-reduced-motion: reduce)").matches) {
  let gone = 0;
  setInterval(() => {
    gone -= STEP;
    for (const path of document.querySelectorAll(".flow")) if (path.style.display !== "none" && !document.hidden) path.style.strokeDashoffset = gone;
  }, STEP_MS);
}

/** The node to put into the page, with `show(evse)`. */
export function picture(id) {
  const box = document.createElement("div");
  box.innerHTML = MARKUP;
  const svg = box.firstElementChild;
  const part = Object.fromEntries([...svg.querySelectorAll("[data-part]")].map((node) => [node.dataset.part, node]));
  const title = svg.querySelector("title");
  title.id = `picture-${id}`;
  svg.setAttribute("aria-labelledby", title.id);
  svg.show = (evse) => draw(part, title, evse);
  return svg;
}

function draw(part, title, evse) {
  const lit = Object.keys(COLOURS).filter((name) => evse.lamp?.[name]);
  part.lamp.setAttribute("fill", lit.length ? COLOURS[lit[0]] : "var(--paper)");
  part.poles.innerHTML = POLES.map((pole) => poleOf(68 + 22 * pole, evse.contacts[pole])).join("");
  part.contactor.textContent = `contactor ${evse.contactor}`;
  part.lock.innerHTML = evse.lock === null ? "" : evse.lock === "locked" ? '<path d="M84 172h12v9H84zM86.500 172v-4a3.500 3.500 0 0 1 7 0v4"/>' : '<path d="M84 172h12v9H84zM86.500 172v-6a3.500 3.500 0 0 1 7 0"/>';
  const flows = Math.max(...evse.current_a) > LIVE_A;
  part.cable.style.display = evse.plugged || evse.pp_ohm !== null ? "" : "none";
  part.flow.style.display = flows ? "" : "none";
  part.car.style.display = evse.ev ? "" : "none";
  const charge = soc(evse.ev);
  part.charge.setAttribute("width", charge === null ? 0 : 74 * charge);
  part.percent.textContent = charge === null ? "" : `${Math.round(100 * charge)} %`;
  part.power.textContent = flows ? `${(evse.power_w / 1000).toFixed(1)} kW` : "";
  part.offer.textContent = evse.ev ? (evse.ev.offer_a ? `${evse.ev.offer_a.toFixed(1)} A offered` : "no current offered") : "";
  title.textContent = words(evse, flows, charge);
}

function poleOf(x, closed) {
  return `<path d="M${x} 84v14M${x} 124v8"/><path d="M${x} 124L${closed ? x : x - 11} ${closed ? 98 : 102}"/>`;
}

/** State of charge, 0 to 1; null: not known. */
export function soc(ev) {
  return ev && ev.capacity_wh ? Math.min(1, ev.energy_wh / ev.capacity_wh) : null;
}

function words(evse, flows, charge) {
  const car = evse.ev ? `a car is plugged in${charge === null ? "" : `, ${Math.round(100 * charge)} percent full`}` : evse.plugged ? "a cable without a car" : "no car";
  return `Charger: ${car}; contactor ${evse.contactor}; ${evse.lock === null ? "tethered cable" : `socket ${evse.lock}`}; ${flows ? `${(evse.power_w / 1000).toFixed(1)} kilowatts flow` : "no current"}.`;
}
