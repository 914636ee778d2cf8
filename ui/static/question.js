// The question that is being answered: in the page's address, so that it can be shared, and in the live feed, where the
// edits that are about it stand out.
const EVERY_MS = 5000;
const PATIENCE_MS = 4000;
const REMEMBERED = 2000;
const SETTLED_MS = 400;
const MARGIN_PX = 12;

class Matches extends EventTarget {
  ids = new Set();
  has = (id) => this.ids.has(id);

  ask(question) {
    this.question = question;
    this.ids.clear();
    this.dispatchEvent(new Event("change"));
    this.look();
  }

  async look() {
    if (!this.question || document.hidden || this.looking) return;
    this.looking = true;
    try {
      const address = `/matching?question=${encodeURIComponent(this.question)}`;
      const reply = await fetch(address, { signal: AbortSignal.timeout(PATIENCE_MS) });
      const found = reply.ok ? (await reply.json()).filter((id) => !this.ids.has(id)) : [];
      if (this.ids.size > REMEMBERED) this.ids.clear();
      found.forEach((id) => this.ids.add(id));
      if (found.length) this.dispatchEvent(new Event("change"));
    } catch {
      // the server is away or slow: the badge says so
    } finally {
      this.looking = false;
    }
  }
}

export const matches = new Matches();
setInterval(() => matches.look(), EVERY_MS);

class AskedQuestion extends HTMLElement {
  connectedCallback() {
    history.replaceState(null, "", this.dataset.query);
    matches.ask(this.dataset.question);
    setTimeout(fromTheStart, SETTLED_MS);
  }
}

// The chat follows an answer while it is written; once it is whole, one reads it from its question on.
function fromTheStart() {
  const question = [...document.querySelectorAll("#chat .user.message")].at(-1);
  const scrolled = question?.closest("[role=log]") ?? document.querySelector("#chat .bubble-wrap");
  if (!question || !scrolled) return;
  scrolled.scrollTop += question.getBoundingClientRect().top - scrolled.getBoundingClientRect().top - MARGIN_PX;
}

customElements.define("asked-question", AskedQuestion);

document.addEventListener("click", (event) => {
  const mark = event.target.closest?.('a[href^="#source-"]');
  if (mark) {
    event.preventDefault();
    show(document.getElementById(mark.getAttribute("href").slice(1)));
  }
  const copied = event.target.closest?.("[data-copy], [data-copy-link]");
  if (copied) copy(copied, "copyLink" in copied.dataset ? location.href : copied.dataset.copy);
});

function show(card) {
  if (!card) return;
  card.closest("details").open = true;
  card.scrollIntoView({ block: "center", behavior: matchMedia("(prefers-reduced-motion)").matches ? "auto" : "smooth" });
  card.focus({ preventScroll: true });
}

async function copy(button, text) {
  const label = button.textContent;
  try {
    await navigator.clipboard.writeText(text);
    button.textContent = "Copied";
  } catch {
    button.textContent = "The browser does not allow it";
  }
  setTimeout(() => (button.textContent = label), 1500);
}
