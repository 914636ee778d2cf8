// The way of a document, in a dialog that the keyboard can leave.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-trace]");
  if (button) show(button.dataset.trace);
  const dialog = document.getElementById("trace");
  if (event.target.closest?.("#trace .close") || event.target === dialog) dialog.close();
});

async function show(id) {
  const dialog = document.getElementById("trace");
  const body = dialog.querySelector(".dialog-body");
  body.textContent = "Following it back…";
  dialog.showModal();
  try {
    const reply = await fetch(`/trace/${encodeURIComponent(id)}`);
    body.innerHTML = await reply.text();
  } catch {
    body.textContent = "This page's server does not answer. Try again in a moment.";
  }
}
