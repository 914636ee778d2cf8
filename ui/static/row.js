// One edit as an element. Everything is set as text; links are those that the server found to be Wikimedia's.
const KINDS = { bot: "bot", ip: "unregistered", temporary: "temporary account" };

export function row(edit, matching) {
  const line = element("li", "edit");
  line.dataset.event = edit.event_id;
  line.classList.toggle("matching", matching);
  const title = edit.page_url ? link(edit.page_url, edit.title) : element("span", "", edit.title);
  title.classList.add("title");
  title.dir = "auto";
  const head = element("p", "head");
  head.append(element("span", "wiki", edit.wiki), " ", title);
  const facts = element("p", "facts");
  const time = document.createElement("time-ago");
  time.setAttribute("datetime", edit.event_time);
  facts.append(time);
  if (edit.type !== "edit") facts.append(" ", element("span", "flag", edit.type));
  if (edit.bytes_delta !== null) facts.append(" ", delta(edit.bytes_delta));
  const user = element("bdi", "user", edit.user || KINDS[edit.user_kind] || "");
  facts.append(" ", user);
  if (edit.user && KINDS[edit.user_kind]) facts.append(" ", element("span", "flag", KINDS[edit.user_kind]));
  if (edit.minor) facts.append(" ", element("span", "flag", "minor"));
  if (edit.revert_kind) facts.append(" ", element("span", "flag", edit.revert_kind));
  if (edit.diff_url) facts.append(" ", link(edit.diff_url, "diff"));
  line.append(head, facts);
  const text = [edit.section ? `§ ${edit.section}` : "", edit.comment].filter(Boolean).join(": ");
  if (text) {
    const comment = element("p", "comment", text);
    comment.dir = "auto";
    line.append(comment);
  }
  return line;
}

function element(name, className, text = "") {
  const made = document.createElement(name);
  made.className = className;
  made.textContent = text;
  return made;
}

function link(address, text) {
  const made = element("a", "", text);
  made.href = address;
  made.target = "_blank";
  made.rel = "noopener noreferrer";
  return made;
}

function delta(bytes) {
  const sign = bytes > 0 ? "+" : bytes < 0 ? "−" : "±";
  return element("span", bytes > 0 ? "plus" : bytes < 0 ? "minus" : "", `${sign}${Math.abs(bytes).toLocaleString()}`);
}
