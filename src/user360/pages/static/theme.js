// Before anything is drawn: dark or light, as chosen here or else as the system has it.
{
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const apply = () => {
    const chosen = localStorage.getItem("theme") || (dark.matches ? "dark" : "light");
    document.documentElement.dataset.bsTheme = chosen;
  };
  dark.addEventListener("change", apply);
  apply();
}
