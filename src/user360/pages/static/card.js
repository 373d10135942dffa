// The card: what is asked for opens beside it, and Escape gives up an edit.

document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail?.ctx?.target;
  if (!(target instanceof Element) || !("dialog" in target.dataset)) return;
  document.querySelectorAll("dialog[open]").forEach((open) => open.contains(target) || open.close());
  const dialog = target.closest("dialog");
  if (!dialog.open) dialog.showModal();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.target.closest(".prop-editing")?.querySelector("[data-cancel]").click();
});
