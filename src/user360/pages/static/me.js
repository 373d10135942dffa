// Dark or light: as chosen, or as the system has it.

const dark = matchMedia("(prefers-color-scheme: dark)");
const choices = document.querySelector("[data-theme-choice]");

function show() {
  const chosen = localStorage.getItem("theme") || "";
  for (const each of choices.querySelectorAll("input")) each.checked = each.value === chosen;
}

choices.addEventListener("change", (event) => {
  const chosen = event.target.value;
  if (chosen) localStorage.setItem("theme", chosen);
  else localStorage.removeItem("theme");
  document.documentElement.dataset.bsTheme = chosen || (dark.matches ? "dark" : "light");
});
document.addEventListener("click", (event) => {
  if (event.target.closest("button[data-theme]")) show();
});
show();
