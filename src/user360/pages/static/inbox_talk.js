// The conversation that is open: its messages in order, days between them, who is there.

const TYPES = 6_000; // milliseconds for which somebody is seen typing
const TOGETHER = 5 * 60 * 1_000_000; // microseconds within which messages of one follow each other
const NEAR = 120; // pixels from its end within which a list stays at its end

export class Talk {
  constructor(whole) {
    this.whole = whole;
    this.id = whole.dataset.conversation;
    this.last = whole.dataset.last;
    this.list = whole.querySelector("[data-messages]");
    this.around = whole.querySelector("[data-here]");
    this.types = new Map();
    this.others = [];
    this.timer = 0;
    this.refresh();
    this.arrange();
    this.#toEnd();
    this.list.addEventListener("load", () => this.#stay(), { capture: true });
  }

  leave() {
    clearTimeout(this.timer);
  }

  /** What the head shows by now. */
  refresh() {
    this.stamp = this.whole.querySelector("[data-stamp]")?.dataset.stamp;
  }

  /** Put in messages, each once; whether one of them is the customer's. */
  take(messages) {
    const near = this.#near();
    let theirs = false;
    for (const told of messages) {
      const held = document.createElement("template");
      held.innerHTML = told.html;
      const made = held.content.firstElementChild;
      const old = document.getElementById(told.id);
      if (old) old.replaceWith(made);
      else {
        this.#append(made);
        if (made.classList.contains("customer")) {
          theirs = true;
          this.types.delete(0);
        }
      }
      this.#follow(told.id);
    }
    this.arrange();
    this.#tell();
    if (near) this.#toEnd();
    return theirs;
  }

  #append(made) {
    const pending = made.dataset.said && this.list.querySelector(`[data-pending="${CSS.escape(made.dataset.said)}"]`);
    pending?.remove();
    const first = this.list.querySelector("[data-pending]");
    if (first) first.before(made);
    else this.list.append(made);
  }

  #follow(id) {
    if (Number(id.slice(1)) > Number(this.last.slice(1) || 0)) this.last = id;
  }

  /** Whether a message that the page sent stands here. */
  has(said) {
    return Boolean(this.list.querySelector(`[data-said="${CSS.escape(said)}"]`));
  }

  /** A message on its way. */
  pend(said, text, note) {
    const near = true;
    const made = document.createElement("article");
    made.className = `message pending ${note ? "note" : "agent"}`;
    made.dataset.pending = said;
    const bubble = document.createElement("div");
    bubble.className = "bubble said";
    bubble.textContent = text;
    const foot = document.createElement("p");
    foot.className = "message-foot";
    foot.textContent = "sending";
    made.append(bubble, foot);
    this.list.append(made);
    if (near) this.#toEnd();
    return made;
  }

  /** Days between the messages, and names only where somebody else speaks. */
  arrange() {
    this.list.querySelectorAll(".day-line").forEach((each) => each.remove());
    let before = null;
    for (const each of this.list.querySelectorAll("[data-message]")) {
      if (each.dataset.day !== before?.dataset.day) {
        const line = document.createElement("p");
        line.className = "day-line";
        line.textContent = each.dataset.day;
        each.before(line);
        before = null;
      }
      const close = before && each.dataset.at - before.dataset.at < TOGETHER;
      each.classList.toggle("follows", Boolean(close && before.dataset.by === each.dataset.by));
      before = each;
    }
  }

  /** Who else looks at it. */
  here(members, me) {
    this.others = members.filter((each) => String(each.id) !== me);
    this.#tell();
  }

  /** Who writes just now. */
  typing(by, me) {
    for (const each of by) {
      if (String(each.id) !== me) this.types.set(each.id, { name: each.name, until: Date.now() + TYPES });
    }
    this.#tell();
  }

  #tell() {
    const now = Date.now();
    for (const [id, each] of this.types) if (each.until <= now) this.types.delete(id);
    const name = document.getElementById("talk-name")?.textContent || "The customer";
    const types = [...this.types.values()].map((each) => each.name || name);
    const looks = this.others.filter((each) => !this.types.has(each.id)).map((each) => each.name);
    const said = [];
    if (types.length) said.push(`${types.join(", ")} ${types.length > 1 ? "are" : "is"} typing…`);
    if (looks.length) said.push(`${looks.join(", ")} ${looks.length > 1 ? "are" : "is"} looking at this too`);
    const text = said.join(" · ");
    if (this.around.textContent !== text) this.around.textContent = text;
    clearTimeout(this.timer);
    if (this.types.size) this.timer = setTimeout(() => this.#tell(), TYPES / 4);
  }

  #near() {
    return this.list.scrollHeight - this.list.scrollTop - this.list.clientHeight < NEAR;
  }

  #stay() {
    if (this.#near()) this.#toEnd();
  }

  #toEnd() {
    this.list.scrollTop = this.list.scrollHeight;
  }
}
