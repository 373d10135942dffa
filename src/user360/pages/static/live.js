// What arrives: asked for once a second, and never while nobody looks.

const EVERY = 1000;
const MOST = 300;
const shown = document.querySelector("[data-events]");
const refused = document.querySelector("[data-rejected]");
const state = document.querySelector("[data-state]");
const pause = document.querySelector("[data-pause]");
let paused = false;
let waiting = 0;

async function look() {
  waiting = 0;
  if (paused || document.hidden) return;
  try {
    const asked = new URLSearchParams({ after: shown.dataset.position, name: shown.dataset.name });
    const answer = await fetch(`/events/live/more?${asked}`);
    if (!answer.ok || answer.redirected) throw new Error(String(answer.status));
    take(new DOMParser().parseFromString(await answer.text(), "text/html"));
    say("Watching");
  } catch {
    say("The server does not answer; trying again");
  }
  next();
}

function take(told) {
  const fresh = told.querySelector("[data-events]");
  shown.dataset.position = fresh.dataset.position;
  const rows = [...fresh.rows];
  rows.forEach((row) => row.classList.add("fresh"));
  shown.prepend(...rows);
  while (shown.rows.length > MOST) shown.lastElementChild.remove();
  document.querySelector("[data-none]").hidden = shown.rows.length > 0;
  const now = told.querySelector("[data-rejected]");
  if (now.textContent !== refused.textContent) refused.replaceChildren(...now.rows);
}

function say(text) {
  if (state.textContent !== text) state.textContent = text;
}

function next() {
  if (!waiting && !paused && !document.hidden) waiting = setTimeout(look, EVERY);
}

pause.addEventListener("click", () => {
  paused = !paused;
  pause.textContent = paused ? "Go on" : "Pause";
  say(paused ? "Paused" : "Watching");
  next();
});
document.addEventListener("visibilitychange", next);
document.querySelector("[data-submit]").addEventListener("change", (event) => event.target.form.submit());
next();
