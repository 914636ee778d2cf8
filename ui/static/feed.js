// The live feed: the newest edits that pass the filters, drawn a few times a second however many there are.
import { matches } from "./question.js";
import { row } from "./row.js";
import { connect, stream } from "./stream.js";

const SHOWN = 60;
const KEPT = 200;
// while paused; with what was skipped named above, all of it is shown afterwards
const HELD = 50;
const RATE_S = 5;

class LiveFeed extends HTMLElement {
  connectedCallback() {
    this.list = this.querySelector(".edits");
    this.note = this.querySelector(".feed-note");
    this.rate = this.querySelector(".rate");
    this.form = this.querySelector("form");
    this.button = this.querySelector(".pause");
    this.kept = [];
    this.held = [];
    this.next = 0;
    this.skipped = 0;
    this.arrivals = [];
    this.wikis = new Set();
    this.button.onclick = () => this.pause(this.button.getAttribute("aria-pressed") !== "true");
    this.form.onsubmit = (event) => event.preventDefault();
    this.form.oninput = () => this.draw();
    this.edits = ({ detail }) => this.take(detail);
    this.marks = () => this.mark();
    stream.addEventListener("edits", this.edits);
    matches.addEventListener("change", this.marks);
    this.ticking = setInterval(() => document.hidden || this.showRate(), 1000);
    // not before: the first frame has the newest edits, and a quiet stream no others
    connect();
  }

  disconnectedCallback() {
    stream.removeEventListener("edits", this.edits);
    matches.removeEventListener("change", this.marks);
    clearInterval(this.ticking);
  }

  get paused() {
    return this.button.getAttribute("aria-pressed") === "true";
  }

  take({ run, edits }) {
    if (!edits.length) return;
    this.count(run, edits);
    for (const edit of edits) this.name(edit.wiki);
    if (!this.paused) return this.add(edits);
    this.held.push(...edits);
    this.skipped += Math.max(0, this.held.length - HELD);
    this.held = this.held.slice(-HELD);
    this.say(`${this.held.length + this.skipped} edits since you paused`);
  }

  // A number that is left out is an edit that this page was not sent.
  count(run, edits) {
    if (this.run && this.run !== run) this.say("The feed began anew: edits in between are not shown.");
    const missing = this.run === run ? edits[0].n - this.next : 0;
    if (missing > 0) this.gap(missing);
    this.run = run;
    this.next = edits.at(-1).n + 1;
    const time = performance.now();
    if (missing <= 0 && this.arrivals.length) this.arrivals.push([time, edits.length]);
    else this.arrivals = [[time, 0]];
  }

  gap(number) {
    if (number <= 0) return;
    const line = document.createElement("li");
    line.className = "gap";
    line.textContent = `${number.toLocaleString()} edits skipped while you were away`;
    this.say(line.textContent);
    this.list.prepend(line);
    this.kept.unshift({ gap: line });
  }

  pause(paused) {
    this.button.setAttribute("aria-pressed", String(paused));
    this.button.textContent = paused ? "Resume" : "Pause";
    this.say(paused ? "Paused: new edits are counted, the newest are kept." : "");
    if (paused) return;
    const held = this.held;
    this.gap(this.skipped);
    this.held = [];
    this.skipped = 0;
    this.add(held);
  }

  add(edits) {
    const wanted = this.wanted();
    for (const edit of edits) this.kept.unshift({ edit, fits: undefined });
    this.kept.length = Math.min(this.kept.length, KEPT);
    const fitting = edits.filter(wanted).slice(-SHOWN).reverse();
    this.list.prepend(...fitting.map((edit) => row(edit, matches.has(edit.event_id))));
    while (this.list.childElementCount > SHOWN) this.list.lastElementChild.remove();
  }

  // After another filter: what is kept, anew.
  draw() {
    const wanted = this.wanted();
    const fitting = this.kept.filter(({ edit, gap }) => gap || wanted(edit)).slice(0, SHOWN);
    this.list.replaceChildren(...fitting.map(({ edit, gap }) => gap ?? row(edit, matches.has(edit.event_id))));
    this.say(fitting.length ? "" : "No edit of the last ones passes these filters; those to come may.");
  }

  mark() {
    if (this.form.matching.checked) return this.draw();
    for (const line of this.list.children) line.classList.toggle("matching", matches.has(line.dataset.event));
  }

  wanted() {
    const { wiki, user, type, minor, matching } = Object.fromEntries(new FormData(this.form));
    const name = wiki.trim().toLowerCase();
    return (edit) =>
      (!name || edit.wiki.includes(name)) &&
      (!user || (edit.user_kind === "bot") === (user === "bot")) &&
      (!type || edit.type === type) &&
      (!minor || String(edit.minor === true) === minor) &&
      (!matching || matches.has(edit.event_id));
  }

  name(wiki) {
    if (this.wikis.has(wiki) || this.wikis.size > 400) return;
    this.wikis.add(wiki);
    const option = document.createElement("option");
    option.value = wiki;
    this.querySelector("datalist").append(option);
  }

  showRate() {
    const since = performance.now() - RATE_S * 1000;
    while (this.arrivals.length > 1 && this.arrivals[0][0] < since) this.arrivals.shift();
    if (!this.arrivals.length) return;
    const seconds = Math.max(1, (performance.now() - this.arrivals[0][0]) / 1000);
    const edits = this.arrivals.slice(1).reduce((sum, [, number]) => sum + number, 0);
    this.rate.textContent = `${(edits / seconds).toFixed(1)} edits/s`;
  }

  say(text) {
    if (this.note.textContent !== text) this.note.textContent = text;
  }
}

customElements.define("live-feed", LiveFeed);
