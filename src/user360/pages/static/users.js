// The table of users: choosing rows, or all that match; narrowing lists; the order of columns.

const many = () => document.getElementById("many");
let last = null; // the box that was ticked last, from where shift chooses on

function boxes() {
  return [...many().querySelectorAll("input[name=record]")];
}

function plural(count) {
  return `${count.toLocaleString("en")} ${count === 1 ? "user" : "users"}`;
}

/** Show how many are chosen, here and in the dialogs. */
function tell() {
  const form = many();
  if (!form) return;
  const all = form.elements.all.value === "yes";
  const here = boxes();
  const ticked = here.filter((each) => each.checked).length;
  const count = all ? Number(form.dataset.total) : ticked;
  form.querySelector("[data-none-chosen]").hidden = count > 0 || "trouble" in form.dataset;
  form.querySelector("[data-some-chosen]").hidden = count === 0;
  form.querySelector("[data-how-many]").textContent = count.toLocaleString("en");
  const more = form.querySelector("[data-choose-all]");
  if (more) more.hidden = all;
  const page = form.querySelector("[data-choose-page]");
  if (page) {
    page.checked = here.length > 0 && ticked === here.length;
    page.indeterminate = ticked > 0 && ticked < here.length;
  }
  for (const each of here) each.closest("tr").classList.toggle("chosen", each.checked);
  for (const each of document.querySelectorAll("[data-whom]")) each.textContent = plural(count);
}

function choose(checked, all = "") {
  for (const each of boxes()) each.checked = checked;
  many().elements.all.value = all;
  tell();
}

function tick(box, event) {
  many().elements.all.value = "";
  const here = boxes();
  const [from, to] = [here.indexOf(last), here.indexOf(box)].sort((a, b) => a - b);
  if (event.shiftKey && last && from >= 0) {
    for (const each of here.slice(from, to + 1)) each.checked = box.checked;
  }
  last = box;
  tell();
}

/** Leave in a list only what has the written words in its name. */
function narrow(input) {
  const list = document.getElementById(input.dataset.narrow);
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let shown = 0;
  for (const each of list.querySelectorAll("[data-name]")) {
    each.hidden = !words.every((word) => each.dataset.name.includes(word));
    if (!each.hidden) shown += 1;
  }
  const none = list.querySelector("[data-none]") || list.parentElement.querySelector("[data-none]");
  if (none) none.hidden = shown > 0;
}

function move(button) {
  const item = button.closest("li");
  const other = button.dataset.move === "up" ? item.previousElementSibling : item.nextElementSibling;
  if (!other) return;
  if (button.dataset.move === "up") other.before(item);
  else other.after(item);
  button.focus();
}

document.addEventListener("click", (event) => {
  const at = event.target;
  if (at.matches("input[name=record]")) tick(at, event);
  else if (at.matches("[data-choose-page]")) choose(at.checked);
  else if (at.closest("[data-choose-all]")) choose(true, "yes");
  else if (at.closest("[data-choose-none]")) choose(false);
  else if (at.closest("[data-move]")) move(at.closest("[data-move]"));
});
document.addEventListener("input", (event) => {
  if (event.target.matches("[data-narrow]")) narrow(event.target);
});
document.addEventListener("submit", (event) => {
  if (event.target.id === "many") event.preventDefault();
});
document.addEventListener("htmx:after:swap", tell);
// Whoever comes back finds boxes as they left them.
window.addEventListener("pageshow", tell);
tell();
