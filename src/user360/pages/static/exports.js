// Making an export: the order of its columns, ticking all of them or none.

const list = document.getElementById("columns");

function move(button) {
  const row = button.closest("li");
  if (button.dataset.move === "up") row.previousElementSibling?.before(row);
  else row.nextElementSibling?.after(row);
  row.scrollIntoView({ block: "nearest" });
  button.focus();
}

document.addEventListener("click", (event) => {
  const at = event.target.closest("[data-move], [data-tick]");
  if (!at) return;
  if (at.dataset.move) move(at);
  else for (const box of list.querySelectorAll("input")) box.checked = at.dataset.tick === "all";
});
