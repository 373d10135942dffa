// What was asked for in a dialog is shown in the page behind it.

document.addEventListener("htmx:after:swap", () => {
  const shown = document.querySelector("[data-focus]");
  if (!shown || shown.dataset.seen) return;
  shown.dataset.seen = "yes";
  for (const form of document.querySelectorAll("dialog[open] form[data-close-after]")) {
    form.reset();
    form.closest("dialog").close();
  }
  shown.focus();
});
