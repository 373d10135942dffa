// What all pages do in the browser: menus, dialogs, messages, problems beside their fields.

/** Say something in passing. `kind` is "said" or "problem". */
function say(text, kind = "said") {
  const note = document.createElement("div");
  note.className = `toast-note ${kind}`;
  note.textContent = text;
  if (kind === "problem") note.setAttribute("role", "alert");
  const close = document.createElement("button");
  close.type = "button";
  close.className = "btn-close";
  close.setAttribute("aria-label", "Dismiss");
  close.addEventListener("click", () => note.remove());
  note.append(close);
  const all = document.getElementById("toasts");
  all.append(note);
  // Shown last it is on top of everything, an open dialog too.
  all.hidePopover();
  all.showPopover();
  if (kind === "said") setTimeout(() => note.remove(), 6000);
}

/** Show what is wrong with a form beside its fields, and in words above them. */
function showProblem(form, problem) {
  clearProblem(form);
  let first = null;
  const rest = [];
  for (const fault of problem.faults || []) {
    const field = fieldOf(form, fault.path);
    if (!field) {
      rest.push(fault.path ? `${fault.path}: ${fault.message}` : fault.message);
      continue;
    }
    const note = document.createElement("div");
    note.className = "invalid-feedback";
    note.id = `problem-${Math.random().toString(36).slice(2)}`;
    note.textContent = fault.message;
    field.classList.add("is-invalid");
    field.setAttribute("aria-invalid", "true");
    field.setAttribute("aria-errormessage", note.id);
    describe(field, [...described(field), note.id]);
    (field.closest(".input-group") || field).after(note);
    first ||= field;
  }
  if (!first || rest.length) {
    const above = document.createElement("div");
    above.className = "alert alert-danger";
    above.setAttribute("role", "alert");
    above.textContent = rest.length ? rest.join("\n") : problem.detail;
    form.prepend(above);
    above.scrollIntoView({ block: "nearest" });
  }
  first?.focus();
}

function fieldOf(form, path) {
  const named = [...form.elements].filter((each) => each.name && each.type !== "hidden");
  return named.find((each) => each.name === path) || named.find((each) => path.endsWith(`.${each.name}`));
}

function clearProblem(form) {
  form.querySelectorAll(":scope > .alert-danger, .invalid-feedback").forEach((each) => each.remove());
  form.querySelectorAll(".is-invalid").forEach((each) => {
    each.classList.remove("is-invalid");
    each.removeAttribute("aria-invalid");
    each.removeAttribute("aria-errormessage");
    describe(each, described(each).filter((id) => !id.startsWith("problem-")));
  });
}

/** The ids of what describes a field. */
const described = (field) => (field.getAttribute("aria-describedby") || "").split(" ").filter(Boolean);

function describe(field, ids) {
  if (ids.length) field.setAttribute("aria-describedby", ids.join(" "));
  else field.removeAttribute("aria-describedby");
}

document.addEventListener("problem", (event) => {
  const at = event.target instanceof Element ? event.target : document.body;
  const form = at.closest("form");
  if (form) showProblem(form, event.detail);
  else say(event.detail.detail, "problem");
});
document.addEventListener("said", (event) => say(event.detail.text));
document.addEventListener("htmx:error", (event) => {
  if (event.detail?.error?.name === "AbortError") return;
  say("The server cannot be reached. Nothing was saved; try again in a moment.", "problem");
});
document.addEventListener("submit", (event) => clearProblem(event.target));

document.addEventListener("click", (event) => {
  const at = event.target.closest("[data-open], [data-close], [data-toggle-menu], [data-theme], [data-copy]");
  if (!at) return;
  if (at.dataset.open) document.getElementById(at.dataset.open).showModal();
  else if ("close" in at.dataset) at.closest("dialog").close();
  else if ("toggleMenu" in at.dataset) toggleMenu(at);
  else if ("theme" in at.dataset) toggleTheme();
  else copy(at);
});

function toggleMenu(button) {
  const open = button.closest("[data-menu]").classList.toggle("open");
  button.setAttribute("aria-expanded", String(open));
}

function toggleTheme() {
  const now = document.documentElement.dataset.bsTheme === "dark" ? "light" : "dark";
  localStorage.setItem("theme", now);
  document.documentElement.dataset.bsTheme = now;
}

async function copy(button) {
  await navigator.clipboard.writeText(button.dataset.copy);
  say("Copied");
}

// There from the beginning, though empty, so that what it says is read out.
document.getElementById("toasts").showPopover();

// What the page before wanted to be said.
const told = document.cookie.split("; ").find((each) => each.startsWith("said="));
if (told) {
  document.cookie = "said=; max-age=0; path=/; samesite=lax";
  say(decodeURIComponent(told.slice(5)));
}
