// The inbox by keys alone: what is opened can be answered at once, Escape leads back to its row,
// and a deed leaves the focus where the next one is.

const talk = document.getElementById("talk");
let opening = false;
let within = false; // whether something of the conversation had the focus last

const writing = () => document.getElementById("write");
const lost = () => document.activeElement === document.body || !document.activeElement;

/** The message, or where nothing can be said the conversation itself. */
function into() {
  if (!writing()) talk.tabIndex = -1;
  (writing() || talk).focus();
}

document.addEventListener("click", (event) => {
  // A click that a key made has no count.
  if (event.detail === 0 && event.target.closest("[data-talk]")) opening = true;
});
document.addEventListener("htmx:after:swap", (event) => {
  if (event.detail.ctx.target !== talk || !opening) return;
  opening = false;
  into();
});
document.addEventListener("focusin", (event) => {
  within = talk.contains(event.target);
});
// What a deed answers replaces the head, and with it what had the focus.
document.addEventListener("htmx:after:request", () => {
  requestAnimationFrame(() => {
    if (within && lost()) (talk.querySelector(".head-deeds button") || writing())?.focus();
  });
});
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  if (!talk.contains(document.activeElement)) return;
  document.querySelector("[data-rows] [aria-current]")?.focus();
});
