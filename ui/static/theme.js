// Dark or light: as the system has it, until the reader chooses.
const KEY = "freshet-theme";

function apply(theme) {
  document.body.classList.toggle("dark", theme === "dark");
}

const chosen = localStorage.getItem(KEY);
if (chosen) apply(chosen);

document.addEventListener("click", (event) => {
  if (!event.target.closest?.("#theme")) return;
  const theme = document.body.classList.contains("dark") ? "light" : "dark";
  localStorage.setItem(KEY, theme);
  apply(theme);
});
