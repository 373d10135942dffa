// The import wizard: a file is sent with its progress; new properties are named where they are wanted.

const form = document.getElementById("upload");
let sending = null;

function size(bytes) {
  const units = ["bytes", "kB", "MB", "GB"];
  let power = 0;
  while (bytes >= 1000 && power < units.length - 1) {
    bytes /= 1000;
    power += 1;
  }
  return `${bytes.toLocaleString("en", { maximumFractionDigits: power ? 1 : 0 })} ${units[power]}`;
}

function show(on) {
  form.querySelector("[data-sending]").hidden = !on;
  form.elements.file.disabled = on;
}

function told(done, all) {
  form.querySelector("progress").value = all ? (100 * done) / all : 0;
  const words = done < all ? `${size(done)} of ${size(all)} sent` : "Sent; it is being looked into";
  form.querySelector("[data-sent]").textContent = words;
}

function send(file) {
  if (!file || sending) return;
  const body = new FormData();
  body.append("file", file);
  sending = new XMLHttpRequest();
  sending.open("POST", form.action);
  sending.setRequestHeader("X-CSRF-Token", document.body.dataset.csrf);
  sending.setRequestHeader("HX-Request", "true");
  sending.upload.onprogress = (event) => told(event.loaded, event.total);
  sending.onload = () => ended(sending);
  sending.onerror = () => failed("The connection was lost. Nothing was imported; choose the file again.");
  sending.onabort = () => failed("");
  told(0, file.size);
  show(true);
  sending.send(body);
}

function tell(what, detail) {
  form.dispatchEvent(new CustomEvent(what, { bubbles: true, detail }));
}

function ended(answer) {
  const there = answer.getResponseHeader("HX-Redirect");
  if (answer.status < 300 && there) location.assign(there);
  else failed(answer.responseText || "The file could not be sent");
}

function failed(why) {
  sending = null;
  show(false);
  form.elements.file.value = "";
  if (why) tell("problem", { detail: why, faults: [{ path: "file", message: why }] });
  else tell("said", { text: "Stopped; nothing is kept of the file" });
}

function sendingOf(form) {
  form.addEventListener("change", () => send(form.elements.file.files[0]));
  form.addEventListener("submit", (event) => event.preventDefault());
  form.querySelector("[data-stop]").addEventListener("click", () => sending?.abort());
  for (const name of ["dragover", "dragleave", "drop"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.toggle("over", name === "dragover");
    });
  }
  form.addEventListener("drop", (event) => send(event.dataTransfer.files[0]));
}

function columnsOf(form) {
  form.addEventListener("change", (event) => {
    if (!("to" in event.target.dataset)) return;
    const row = event.target.closest("tr");
    row.querySelector("[data-new]").hidden = event.target.value !== "+";
    row.querySelector(".why").textContent = "as you chose";
    const chosen = [...form.querySelectorAll("[data-to]")].map((each) => each.value);
    form.querySelector("[data-nobody]").hidden = chosen.includes("userId");
  });
}

if (form) sendingOf(form);
const columns = document.getElementById("columns-form");
if (columns) columnsOf(columns);

document.addEventListener("change", (event) => {
  const of = event.target.dataset.chooses;
  if (!of) return;
  for (const part of event.target.form.querySelectorAll(`[data-of="${of}"]`)) {
    part.hidden = part.disabled = part.dataset.when !== event.target.value;
  }
});
