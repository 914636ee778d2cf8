// The one connection of a page: edits and the state of the pipeline. It rests while nobody looks at the page, because a
// browser has few connections to one host.
const RETRY_MS = 2000;
const REST_MS = 10_000;

export const stream = new EventTarget();
let source = null;
let last = "";
let resting = 0;
let connected = false;

export function connect() {
  if (connected) return;
  connected = true;
  document.addEventListener("visibilitychange", () => {
    clearTimeout(resting);
    if (document.hidden) resting = setTimeout(close, REST_MS);
    else if (!source) open();
  });
  open();
}

function open() {
  // a connection that was closed here does not send the last id by itself
  source = new EventSource(last ? `/live?after=${encodeURIComponent(last)}` : "/live");
  source.addEventListener("edits", (event) => {
    last = event.lastEventId || last;
    say("edits", JSON.parse(event.data));
  });
  source.addEventListener("pulse", (event) => say("pulse", JSON.parse(event.data)));
  source.onerror = () => {
    say("lost", {});
    close();
    if (!document.hidden) setTimeout(() => source || open(), RETRY_MS);
  };
}

function close() {
  source?.close();
  source = null;
}

function say(name, detail) {
  stream.dispatchEvent(new CustomEvent(name, { detail }));
}
