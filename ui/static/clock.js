// Times that keep counting: `<time-ago datetime="...">` says "12 s ago", and on hover the time in the reader's zone.
import { stream } from "./stream.js";

const UNITS = [[86_400, "d"], [3_600, "h"], [60, "min"], [1, "s"]];
const local = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "medium" });
const shown = new Set();
let ahead = 0;

// The server's clock counts: the reader's may be wrong.
stream.addEventListener("pulse", ({ detail }) => (ahead = Date.now() - Date.parse(detail.now)));

export const now = () => Date.now() - ahead;

export function ago(milliseconds) {
  const seconds = Math.max(0, milliseconds / 1000);
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  const [size, unit] = UNITS.find(([size]) => seconds >= size);
  return `${Math.floor(seconds / size)} ${unit}`;
}

class TimeAgo extends HTMLElement {
  connectedCallback() {
    this.at = Date.parse(this.getAttribute("datetime"));
    this.title = local.format(this.at);
    shown.add(this);
    this.show();
  }

  disconnectedCallback() {
    shown.delete(this);
  }

  show() {
    const seconds = Math.floor(Math.max(0, now() - this.at) / 1000);
    const [size, unit] = UNITS.find(([size]) => seconds >= size) ?? [1, "s"];
    const text = `${Math.floor(seconds / size)} ${unit} ago`;
    if (this.textContent !== text) this.textContent = text;
  }
}

customElements.define("time-ago", TimeAgo);
setInterval(() => document.hidden || shown.forEach((time) => time.show()), 1000);
