// The control pilot as an oscilloscope shows it, computed from its peaks and duty. Knows the pilot and a canvas.

import { plane } from "./plane.js";

const SPAN_MS = 3.2;
const TOP_V = 14;
const EDGE_MS = 0.01;
const LEVELS = [12, 9, 6, 3, 0, -12];

/** Draws the trace of a 1 kHz pilot (IEC 61851-1 Annex A) onto the canvas. */
export function drawPilot(canvas, pilot) {
  const { pen, width, height, colour } = plane(canvas);
  const x = (ms) => (ms / SPAN_MS) * (width - 34) + 34;
  const y = (volts) => height / 2 - (volts / TOP_V) * (height / 2 - 4);
  pen.font = "11px system-ui, sans-serif";
  pen.textBaseline = "middle";
  for (const level of LEVELS) {
    pen.strokeStyle = colour("--line");
    pen.beginPath(); pen.moveTo(34, y(level)); pen.lineTo(width, y(level)); pen.stroke();
    pen.fillStyle = colour("--soft");
    pen.fillText(`${level} V`, 2, y(level));
  }
  pen.strokeStyle = colour("--trace");
  pen.lineWidth = 2;
  pen.beginPath();
  corners(pilot).forEach(([ms, volts], index) => (index ? pen.lineTo(x(ms), y(volts)) : pen.moveTo(x(ms), y(volts))));
  pen.stroke();
  canvas.setAttribute("aria-label", `control pilot: ${words(pilot)}`);
}

function corners({ high_v, low_v, duty_percent }) {
  if (duty_percent >= 100) return [[0, high_v], [SPAN_MS, high_v]];
  if (duty_percent <= 0) return [[0, low_v], [SPAN_MS, low_v]];
  const made = [];
  for (let begin = 0; begin < SPAN_MS; begin += 1) {
    const fall = begin + duty_percent / 100;
    made.push([begin, high_v], [fall, high_v], [fall + EDGE_MS, low_v], [begin + 1 - EDGE_MS, low_v]);
  }
  return made.filter(([ms]) => ms <= SPAN_MS).concat([[SPAN_MS, SPAN_MS % 1 < duty_percent / 100 ? high_v : low_v]]);
}

export const words = (pilot) => `state ${pilot.state}, ${pilot.high_v.toFixed(1)} V / ${pilot.low_v.toFixed(1)} V, duty ${pilot.duty_percent.toFixed(1)} %`;
