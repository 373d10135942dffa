// Writing: a draft that a reload keeps, files, canned answers, and each message sent once.

const TELLS = 2_500; // milliseconds between two tellings that somebody types
const AGAIN = 3_000; // milliseconds until what could not be sent is tried again

/** A fresh id, on plain HTTP too. */
function fresh() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((each) => each.toString(16).padStart(2, "0")).join("");
}

const csrf = () => ({ "X-CSRF-Token": document.body.dataset.csrf });

export class Composer {
  /** The one of a conversation; null where nobody may write. */
  static of(whole, talk, who) {
    return whole.querySelector("[data-composer]") || whole.querySelector("#composer")
      ? new Composer(whole, talk, `${who.workspace}.${who.me}.${talk.id}`)
      : null;
  }

  constructor(whole, talk, name) {
    this.whole = whole;
    this.talk = talk;
    this.kept = `draft.${name}`;
    this.unsent = `unsent.${name}`;
    this.files = [];
    this.told = 0;
    this.sending = false;
    this.waits = false;
    this.leaving = new AbortController();
    const how = { signal: this.leaving.signal };
    whole.addEventListener("submit", (event) => this.#submitted(event), how);
    whole.addEventListener("keydown", (event) => this.#pressed(event), how);
    whole.addEventListener("input", (event) => this.#written(event), how);
    whole.addEventListener("change", (event) => this.#chosen(event), how);
    whole.addEventListener("click", (event) => this.#clicked(event), how);
    whole.addEventListener("paste", (event) => this.#pasted(event), how);
    whole.addEventListener("htmx:after:settle", (event) => event.target.id === "composer" && this.#renewed(), how);
    this.#restore();
    for (const each of this.#queue()) this.#show(each);
    this.settle(talk);
    this.flush();
  }

  get form() {
    return this.whole.querySelector("[data-composer]");
  }

  get text() {
    return this.form.elements.text;
  }

  leave() {
    clearTimeout(this.later);
    this.leaving.abort();
  }

  // The draft

  #restore() {
    const kept = sessionStorage.getItem(this.kept);
    if (!kept || !this.form) return;
    const { text, kind } = JSON.parse(kept);
    this.text.value = text;
    // An answer that WhatsApp takes no more stays a draft, but nobody is led to send it.
    if (!this.form.querySelector(`[name="kind"][value="${kind}"]`)?.disabled) this.form.elements.kind.value = kind;
    this.#kind();
  }

  #keep() {
    const draft = { text: this.text.value, kind: this.form.elements.kind.value };
    if (draft.text) sessionStorage.setItem(this.kept, JSON.stringify(draft));
    else sessionStorage.removeItem(this.kept);
  }

  #written(event) {
    if (event.target.name !== "text") return;
    this.#keep();
    if (this.text.value === "/") this.#pick(true);
    const now = Date.now();
    if (this.form.elements.kind.value === "note" || now - this.told < TELLS || !this.text.value) return;
    this.told = now;
    fetch(`/inbox/${this.talk.id}/typing`, { method: "POST", headers: csrf() }).catch(() => {});
  }

  #kind() {
    const note = this.form.elements.kind.value === "note";
    this.form.classList.toggle("noting", note);
    this.form.querySelector("[data-send]").textContent = note ? "Add the note" : "Send";
    this.text.placeholder = note ? "Only agents see this" : `Write to ${document.getElementById("talk-name").textContent}`;
  }

  /** The server has drawn it anew, which knows nothing of what is chosen here. */
  #renewed() {
    if (!this.form) return;
    if (this.form.querySelector('[name="kind"]:checked')?.disabled) this.form.elements.kind.value = "note";
    this.#kind();
  }

  #pressed(event) {
    if (event.key === "Escape" && !this.whole.querySelector("#canned")?.hidden) {
      this.#pick(false);
      event.stopPropagation();
      return;
    }
    if (event.target.name === "q" && event.key === "Enter" && event.target.closest("#canned")) {
      event.preventDefault();
      this.whole.querySelector("[data-say]")?.click();
      return;
    }
    if (event.target.name !== "text" || event.key !== "Enter" || event.isComposing) return;
    if (event.shiftKey) return;
    event.preventDefault();
    this.form.requestSubmit();
  }

  // Files

  #chosen(event) {
    if (event.target.name === "kind") {
      this.#kind();
      this.#keep();
    } else if ("file" in event.target.dataset) {
      for (const file of event.target.files) this.#attach(file);
      event.target.value = "";
    }
  }

  #pasted(event) {
    if (event.target.name !== "text") return;
    for (const file of event.clipboardData?.files || []) this.#attach(file);
  }

  async #attach(file) {
    const held = { name: file.name || "pasted.png", type: file.type || "application/octet-stream", size: file.size, id: "" };
    const line = document.createElement("li");
    const said = document.createElement("span");
    said.textContent = `${held.name}: uploading`;
    const off = document.createElement("button");
    off.type = "button";
    off.className = "btn-close";
    off.setAttribute("aria-label", `Leave out ${held.name}`);
    off.addEventListener("click", () => {
      this.files = this.files.filter((each) => each !== held);
      line.remove();
    });
    line.append(said, off);
    this.form.querySelector("[data-files]").append(line);
    this.files.push(held);
    try {
      const body = new FormData();
      body.append("file", file, held.name);
      const answer = await fetch("/api/v1/attachments", { method: "POST", headers: csrf(), body });
      const told = await answer.json();
      if (!answer.ok) throw new Error(told.detail);
      held.id = told.id;
      held.name = told.name;
      said.textContent = held.name;
    } catch (problem) {
      held.failed = true;
      this.#wait(false);
      line.setAttribute("role", "alert");
      said.textContent = `${held.name}: ${problem.message || "could not be uploaded"}`;
    }
    if (this.waits && this.files.every((each) => each.id)) this.form?.requestSubmit();
  }

  // Canned answers

  #clicked(event) {
    const at = event.target.closest("[data-attach], [data-canned], [data-say], [data-retry], [data-drop]");
    if (!at) return;
    if ("attach" in at.dataset) this.form.querySelector("[data-file]").click();
    else if ("canned" in at.dataset) this.#pick(this.whole.querySelector("#canned").hidden);
    else if ("say" in at.dataset) this.#say(at.dataset.say);
    else if ("retry" in at.dataset) this.#retry(at.dataset.retry);
    else this.#drop(at.dataset.drop);
  }

  #pick(shown) {
    const picker = this.whole.querySelector("#canned");
    picker.hidden = !shown;
    this.whole.querySelector("[data-canned]").setAttribute("aria-expanded", String(shown));
    if (!shown) {
      this.text.focus();
      return;
    }
    const search = picker.querySelector("input");
    search.value = "";
    htmx.trigger(search, "opened");
    search.focus();
  }

  #say(text) {
    const held = this.text.value === "/" ? "" : this.text.value;
    this.text.value = held ? `${held.trimEnd()}\n${text}` : text;
    this.#pick(false);
    this.#keep();
  }

  // Sending: what is written is kept until it is answered for, and tried again with the same id.

  #queue() {
    return JSON.parse(sessionStorage.getItem(this.unsent) || "[]");
  }

  #put(queue) {
    if (queue.length) sessionStorage.setItem(this.unsent, JSON.stringify(queue));
    else sessionStorage.removeItem(this.unsent);
  }

  #submitted(event) {
    if (event.target !== this.form) return;
    event.preventDefault();
    const text = this.text.value;
    const files = this.files;
    if (files.some((each) => each.failed)) {
      // Nobody says "here it is" without it unless they leave it out themselves.
      this.form.querySelector("[data-files] [role=alert] button").focus();
      return;
    }
    this.#wait(files.some((each) => !each.id));
    if (this.waits || (!text.trim() && !files.length)) return;
    const kind = this.form.elements.kind.value;
    const copies = this.form.elements.cc;
    const said = { id: fresh(), text, kind, files, cc: kind !== "note" && copies?.checked ? copies.value : "" };
    if (said.cc) copies.checked = false; // each answer to all is chosen anew
    this.#put([...this.#queue(), said]);
    this.files = [];
    this.form.querySelector("[data-files]").replaceChildren();
    this.text.value = "";
    this.#keep();
    this.#show(said);
    this.flush();
    this.text.focus();
  }

  /** Whether what is written goes as soon as its files are there. */
  #wait(waits) {
    this.waits = waits;
    const button = this.form?.querySelector("[data-send]");
    if (button) button.closest("button").setAttribute("aria-busy", String(waits));
  }

  #show(said) {
    const names = said.files.map((each) => each.name);
    this.talk.pend(said.id, [said.text, ...names].filter(Boolean).join("\n"), said.kind === "note");
  }

  /** What stands in the conversation is sent. */
  settle(talk) {
    const queue = this.#queue();
    const left = queue.filter((each) => !talk.has(each.id));
    if (left.length < queue.length) this.#put(left);
  }

  /** Send what is not sent yet, in its order. */
  async flush() {
    if (this.sending) return;
    clearTimeout(this.later);
    this.sending = true;
    try {
      for (let said = this.#next(); said; said = this.#next()) {
        if (!(await this.#send(said))) break;
      }
    } finally {
      this.sending = false;
    }
  }

  #next() {
    return this.leaving.signal.aborted ? null : this.#queue().find((each) => !each.refused);
  }

  /** Whether to go on with the next. */
  async #send(said) {
    const body = new URLSearchParams({ id: said.id, text: said.text, kind: said.kind });
    if (said.cc) body.set("cc", said.cc);
    if (said.files.length) body.set("attachments", JSON.stringify(said.files));
    let answer;
    try {
      answer = await fetch(`/inbox/${this.talk.id}/say`, { method: "POST", headers: { ...csrf(), "HX-Request": "true" }, body });
    } catch {
      answer = null;
    }
    if (!answer || answer.status >= 500 || answer.status === 429) {
      this.#mark(said.id, "not sent yet; it will be tried again");
      this.later = setTimeout(() => this.flush(), AGAIN);
      return false;
    }
    const told = await answer.text();
    if (answer.headers.get("HX-Redirect")) {
      location.assign(answer.headers.get("HX-Redirect"));
      return false;
    }
    if (!answer.ok) {
      this.#put(this.#queue().map((each) => (each.id === said.id ? { ...each, refused: true } : each)));
      this.#refused(said.id, told);
      return true;
    }
    this.#put(this.#queue().filter((each) => each.id !== said.id));
    const held = document.createElement("template");
    held.innerHTML = told;
    const id = held.content.firstElementChild.dataset.message;
    this.talk.take([{ id, html: told }]);
    this.talk.list.querySelector(`[data-pending="${said.id}"]`)?.remove();
    return true;
  }

  #mark(id, text) {
    const foot = this.talk.list.querySelector(`[data-pending="${id}"] .message-foot`);
    if (foot) foot.textContent = text;
    return foot;
  }

  #refused(id, why) {
    const foot = this.#mark(id, `Not sent: ${why} `);
    if (!foot) return;
    foot.closest(".message").classList.add("unsent");
    for (const [what, label] of [["retry", "Try again"], ["drop", "Take it back"]]) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "btn btn-sm";
      button.dataset[what] = id;
      button.textContent = label;
      foot.append(button, " ");
    }
  }

  #retry(id) {
    this.#put(this.#queue().map((each) => (each.id === id ? { ...each, refused: false } : each)));
    this.#mark(id, "sending");
    this.flush();
  }

  #drop(id) {
    const said = this.#queue().find((each) => each.id === id);
    this.#put(this.#queue().filter((each) => each.id !== id));
    this.talk.list.querySelector(`[data-pending="${id}"]`)?.remove();
    if (said && this.form && !this.text.value) {
      this.text.value = said.text;
      this.#keep();
    }
  }
}
