// How fresh the index is, always in sight; and what kind of edits these are.
import { ago, now } from "./clock.js";
import { stream } from "./stream.js";

const NOTICES = {
  simulated: "Simulated edits, not real ones: the live stream was not reachable, or a simulation was asked for.",
  recording: "Recorded real edits, replayed: not live.",
};
const COLOURS = { fresh: "good", late: "fair", empty: "fair", stale: "bad", stopped: "bad", unknown: "bad" };

class FreshnessBadge extends HTMLElement {
  connectedCallback() {
    this.pulse = ({ detail }) => this.take(detail);
    this.lost = () => this.take({ api: "lost", since: new Date().toISOString() });
    stream.addEventListener("pulse", this.pulse);
    stream.addEventListener("lost", this.lost);
    this.ticking = setInterval(() => document.hidden || this.show(), 500);
  }

  disconnectedCallback() {
    stream.removeEventListener("pulse", this.pulse);
    stream.removeEventListener("lost", this.lost);
    clearInterval(this.ticking);
  }

  take(state) {
    const same = this.state && this.state.api === state.api && state.api !== "ok";
    this.state = same ? { ...state, since: this.state.since } : state;
    this.show();
    notice(state);
  }

  show() {
    if (!this.state) return;
    const [colour, text] = this.words(this.state);
    if (this.className !== colour) this.className = colour;
    if (this.textContent !== text) this.textContent = text;
  }

  words(state) {
    if (state.api === "lost") return ["bad", `this page lost its server ${ago(now() - Date.parse(state.since))} ago; trying again`];
    if (state.api === "away") return ["bad", `the API is away since ${ago(now() - Date.parse(state.since))}: ${state.detail}; trying again`];
    if (state.api !== "ok") return ["fair", "waiting for the API…"];
    const verdict = state.verdict;
    const newest = state.newest_searchable_at;
    const age = newest ? `newest searchable edit: ${ago(now() - Date.parse(newest))} ago` : "no searchable edit yet";
    if (verdict.state === "fresh") return ["good", age];
    const since = verdict.since ? ` since ${ago(now() - Date.parse(verdict.since))}` : "";
    const why = [verdict.because, verdict.action].filter(Boolean).join(" ");
    return [COLOURS[verdict.state] ?? "fair", `${verdict.state}${since}: ${why || age}`];
  }
}

function notice(state) {
  const line = document.getElementById("notice");
  if (!line || state.api !== "ok") return;
  const text = state.sources.map((source) => NOTICES[source]).filter(Boolean).join(" ");
  if (line.textContent !== text) line.textContent = text;
  line.hidden = !text;
}

customElements.define("freshness-badge", FreshnessBadge);
