// Current, limit and power over the last minutes. Knows samples and a canvas.

import { plane } from "./plane.js";

const KEPT_S = 180;
const LEFT = 34;

/** One plot's memory: lines by name, as [time, value]. */
export class Plot {
  constructor(canvas, unit, colours, least) {
    Object.assign(this, { canvas, unit, colours, least, samples: [] });
  }

  /** values: one number per line; seconds: when. */
  add(seconds, values) {
    const last = this.samples.at(-1);
    if (last && values.every((value, index) => value === last.values[index])) last.until = seconds;
    else this.samples.push({ from: seconds, until: seconds, values });
    while (this.samples.length && this.samples[0].until < seconds - KEPT_S) this.samples.shift();
    this.draw(seconds);
  }

  draw(now) {
    const { pen, width, height, colour } = plane(this.canvas);
    const top = niceTop(Math.max(this.least, ...this.samples.flatMap((sample) => sample.values)));
    const x = (seconds) => LEFT + (1 - (now - seconds) / KEPT_S) * (width - LEFT);
    const y = (value) => height - 14 - (value / top) * (height - 24);
    pen.font = "11px system-ui, sans-serif";
    for (const value of [0, top / 2, top]) {
      pen.strokeStyle = colour("--line");
      pen.beginPath(); pen.moveTo(LEFT, y(value)); pen.lineTo(width, y(value)); pen.stroke();
      pen.fillStyle = colour("--soft");
      pen.fillText(`${value} ${this.unit}`, 2, y(value) - 2);
    }
    pen.fillText(`the last ${KEPT_S / 60} minutes`, LEFT + 4, height - 2);
    this.colours.forEach((name, line) => {
      pen.strokeStyle = colour(name);
      pen.lineWidth = 1.8;
      pen.beginPath();
      let begun = false;
      for (const { from, until, values } of this.samples) {
        for (const at of [Math.max(from, now - KEPT_S), until]) {
          if (begun) pen.lineTo(x(at), y(values[line])); else pen.moveTo(x(at), y(values[line]));
          begun = true;
        }
      }
      pen.stroke();
    });
  }
}

function niceTop(value) {
  const step = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 5, 8, 10].map((factor) => factor * step).find((top) => top >= value);
}
