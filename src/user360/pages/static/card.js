// The card: what is asked for opens beside it, and Escape gives up an edit.

document.addEventListener("htmx:after:swap", (event) => {
  const { target, response } = event.detail.ctx;
  // A problem is told where one asked; nothing was put beside the card then.
  if (!(target instanceof Element) || !("dialog" in target.dataset) || response?.status >= 400) return;
  document.querySelectorAll("dialog[open]").forEach((open) => open.contains(target) || open.close());
  const dialog = target.closest("dialog");
  if (!dialog.open) dialog.showModal();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  event.target.closest(".prop-editing")?.querySelector("[data-cancel]").click();
});
