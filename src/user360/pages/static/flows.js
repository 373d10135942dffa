// Writing a flow: numbers beside the lines, faults at theirs, a chat to try it.

const text = document.getElementById("text");
const lines = document.querySelector("[data-lines]");
const form = document.getElementById("try");
const talk = document.getElementById("talk");
const message = form.querySelector("[data-message]");

/** Number the lines, and mark those that are wrong. */
function number() {
  const wrong = new Set(document.querySelector("[data-wrong]").dataset.wrong.split(" "));
  const count = text.value.split("\n").length;
  lines.replaceChildren();
  for (let line = 1; line <= count; line += 1) {
    const shown = document.createElement("span");
    shown.textContent = line;
    if (wrong.has(String(line))) shown.className = "wrong";
    lines.append(shown, "\n");
  }
  lines.scrollTop = text.scrollTop;
}

/** Put the cursor at a line. */
function go(line) {
  const before = text.value.split("\n").slice(0, line - 1);
  const start = before.join("\n").length + (before.length ? 1 : 0);
  const end = text.value.indexOf("\n", start);
  text.focus();
  text.setSelectionRange(start, end < 0 ? text.value.length : end);
  const height = parseFloat(getComputedStyle(text).lineHeight);
  text.scrollTop = Math.max(0, (line - 5) * height);
}

/** Add a node to the end of the text, under a name that is free, and go to it. */
function add(kind, example) {
  const written = new Set(text.value.match(/^ +[A-Za-z][\w-]*(?=:)/gm)?.map((name) => name.trim()));
  let name = kind;
  for (let number = 2; written.has(name); number += 1) name = `${kind}${number}`;
  const whole = text.value.trimEnd();
  const indented = example.trimEnd().split("\n").map((line) => `    ${line}`).join("\n");
  text.value = `${whole}\n  ${name}:\n${indented}\n`;
  text.dispatchEvent(new Event("input", { bubbles: true }));
  go(whole.split("\n").length + 1);
}

document.addEventListener("click", (event) => {
  const at = event.target.closest("[data-line], [data-say], [data-again], [data-add]");
  if (!at) return;
  if (at.dataset.add) add(at.dataset.add, at.dataset.example);
  else if (at.dataset.line) go(Number(at.dataset.line));
  else if (at.dataset.say) {
    message.value = at.dataset.say;
    form.requestSubmit();
  } else {
    talk.replaceChildren();
    message.focus();
  }
});

text.addEventListener("input", number);
text.addEventListener("scroll", () => { lines.scrollTop = text.scrollTop; });
text.addEventListener("keydown", (event) => {
  if ((event.ctrlKey || event.metaKey) && event.key === "s") {
    event.preventDefault();
    if (!text.readOnly) text.form.requestSubmit();
  }
});

new MutationObserver(number).observe(document.getElementById("checked"), { childList: true });
new MutationObserver(() => {
  message.value = "";
  talk.scrollTop = talk.scrollHeight;
}).observe(talk, { childList: true });
number();
