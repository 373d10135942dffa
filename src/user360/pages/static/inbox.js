// The inbox: what comes in shows up by itself, what is written is sent once, and nothing is lost.

import { Bell } from "./inbox_bell.js";
import { Composer } from "./inbox_composer.js";
import { Live } from "./inbox_live.js";
import { Rows } from "./inbox_rows.js";
import { Talk } from "./inbox_talk.js";

const inbox = document.querySelector("[data-inbox]");
const state = document.querySelector("[data-link]");
const rows = new Rows(inbox);
const bell = new Bell(document.querySelector("[data-bell]"));
let talk = null;
let composer = null;
let refreshing = 0;

/** Ask for a part of the page, and put it where it belongs. */
function ask(address, target, more = {}) {
  return htmx.ajax("GET", address, { target, swap: "innerHTML", ...more });
}

/** Read the lists anew, once for many reasons. */
function refresh(soon = 0) {
  clearTimeout(refreshing);
  refreshing = setTimeout(() => ask(`/inbox/rows${location.search}`, "#lists", { swap: "innerMorph" }), soon);
}

const live = new Live({
  where: () => ({ open: talk?.id || "", after: talk?.last || "" }),
  seen: inbox.dataset.seen,
  stale: () => refresh(),
  missed: (told) => heard(told),
  batch(told) {
    if (rows.filtered && told.rows.length) refresh(1000);
    else rows.take(told.rows, told.gone);
    if (told.counts) {
      rows.count(told.counts);
      entitle();
    }
    if (told.rows.some((row) => row.rings && [rows.me, null].includes(row.assignee))) bell.ring();
    if (told.me) there(told.me);
    if (told.back) document.dispatchEvent(new CustomEvent("said", { detail: { text: told.back } }));
    heard(told);
  },
  there: (how) => there(how),
  linked(on) {
    state.hidden = on;
    if (!on) state.textContent = "No connection. Trying again; what you write is kept and sent later.";
    if (on) composer?.flush();
  },
});

/** What is told of the conversation that is open. */
function heard(told) {
  if (!talk) return;
  if (told.lost) {
    location.assign(`/inbox${location.search}`);
    return;
  }
  if (told.messages) {
    const fromCustomer = talk.take(told.messages);
    composer?.settle(talk);
    if (fromCustomer) person(1500);
    // Until when one may answer freely, and whether answers go out, may be another matter now.
    const way = talk.whole.querySelector("[data-way]");
    if (way) htmx.trigger(way, "changed");
  }
  talk.refresh();
  if (told.stamp && talk.stamp && told.stamp !== talk.stamp) {
    head();
    person(0);
  }
  if (told.typing) talk.typing(told.typing, inbox.dataset.me);
  if (told.here) talk.here(told.here, inbox.dataset.me);
}

/** What the head shows is old. What somebody writes in it just now is left alone until they have. */
function head() {
  const used = inUse();
  used?.addEventListener(used.matches("dialog") ? "close" : "blur", head, { once: true });
  if (talk && !used) ask(`/inbox/${talk.id}/head`, "body", { swap: "none" });
}

/** A dialog of the head that is open, or the field of it that has the cursor. */
function inUse() {
  return document.querySelector("#talk-head dialog[open]") || document.querySelector("#talk-head :is(input, select):focus");
}

/** How whoever looks on is there, who may have said so elsewhere. */
function there({ availability, capacity }) {
  const chosen = document.getElementById("availability");
  const most = document.getElementById("capacity");
  if (!chosen) return;
  chosen.value = availability;
  if (most !== document.activeElement) most.value = capacity;
  dot(availability);
}

function dot(availability) {
  document.querySelector("[data-dot]").className = `presence-dot ${availability}`;
}

/** The title says how many wait for whoever looks on. */
function entitle() {
  const { waiting } = document.querySelector("[data-waiting]").dataset;
  const about = document.getElementById("talk-name")?.textContent || "Inbox";
  document.title = `${waiting === "0" ? "" : `(${waiting}) `}${about} · User 360`;
}

let closing = 0;
let until = "";
/** When one may not answer freely any more, the composer says so. */
function watch() {
  const way = talk?.whole.querySelector("[data-way]");
  const ends = way ? `${talk.id} ${way.dataset.way}` : "";
  if (ends === until) return;
  until = ends;
  clearTimeout(closing);
  if (!way?.dataset.way) return;
  closing = setTimeout(() => htmx.trigger(way, "changed"), 1000 * way.dataset.seconds + 500);
}

let asking = 0;
/** The customer may be known better by now. */
function person(soon) {
  clearTimeout(asking);
  const id = talk.id;
  asking = setTimeout(() => {
    if (talk?.id === id) ask(`/inbox/${id}/person`, "#person", { swap: "innerMorph" });
  }, soon);
}

/** Another conversation stands in the page, or none. */
function opened() {
  const whole = document.querySelector("[data-conversation]");
  talk?.leave();
  composer?.leave();
  talk = whole ? new Talk(whole) : null;
  composer = whole ? Composer.of(whole, talk, inbox.dataset) : null;
  inbox.classList.toggle("talking", Boolean(whole));
  inbox.classList.remove("person-shown");
  rows.mark(talk?.id);
  entitle();
  live.connect();
  watch();
}

async function open(id) {
  await ask(`/inbox/${id}${location.search}`, "#talk", { push: "true" });
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-talk]");
  if (link && !event.metaKey && !event.ctrlKey && !event.shiftKey && event.button === 0) {
    event.preventDefault();
    link.closest("dialog")?.close();
    open(link.dataset.talk);
    return;
  }
  const at = event.target.closest("[data-person], [data-more-filters], [data-back]");
  if (!at) return;
  if ("person" in at.dataset) inbox.classList.toggle("person-shown");
  else if ("back" in at.dataset) {
    event.preventDefault();
    location.assign(`/inbox${location.search}`);
  } else {
    const fields = document.getElementById("inbox-filters");
    fields.hidden = !fields.hidden;
    at.setAttribute("aria-expanded", String(!fields.hidden));
  }
});

document.addEventListener("htmx:before:swap", (event) => {
  const { sourceElement, request } = event.detail.ctx;
  if (sourceElement !== document.body || !request.action.endsWith("/head") || !inUse()) return;
  event.preventDefault(); // they began while it was on its way
  head();
});
document.addEventListener("htmx:after:swap", (event) => {
  const { target, response } = event.detail.ctx;
  if (!(target instanceof Element) || response?.status >= 400) return;
  if (target.id === "talk") opened();
  else if (target.id === "lists") {
    rows.reset();
    rows.mark(talk?.id);
    entitle();
  } else if (target.id === "rows" || target.closest?.("[data-rows]")) rows.mark(talk?.id);
  if (target.closest?.("[data-messages]") || target.classList.contains("earlier")) talk?.arrange();
});
document.addEventListener("htmx:after:request", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  if (response?.status < 400 && sourceElement?.matches?.("#beside form[data-close-after]")) sourceElement.closest("dialog").close();
});
// What a deed answers replaces the head with its dialogs, which closes them.
document.addEventListener("htmx:after:request", () => {
  talk?.refresh();
  watch();
});
document.addEventListener("change", (event) => {
  if (event.target.id === "availability") {
    dot(event.target.value);
  }
});
window.addEventListener("popstate", () => location.reload());

opened();
