// The list of conversations: rows come, move to the top, and go.

const MOST = 200; // rows that a list grows to by itself

export class Rows {
  constructor(inbox) {
    this.me = Number(inbox.dataset.me);
    this.reset();
  }

  /** The list stands in the page anew. */
  reset() {
    this.list = document.querySelector("[data-rows]");
    this.filtered = "filtered" in this.list.dataset;
  }

  /** Put in what changed, and take out what stands here no more. */
  take(rows, gone) {
    for (const row of rows) this.#put(row);
    for (const id of gone) this.#row(id)?.remove();
    const all = this.list.querySelectorAll("[data-row]");
    for (const old of [...all].slice(MOST)) old.remove();
    document.querySelector("[data-none]").hidden = this.list.childElementCount > 0;
  }

  #row(id) {
    return this.list.querySelector(`[data-row="${CSS.escape(id)}"]`);
  }

  #put(row) {
    const old = this.#row(row.id);
    const focused = old?.contains(document.activeElement);
    old?.remove();
    if (!this.#stands(row)) return;
    const held = document.createElement("template");
    held.innerHTML = row.html;
    const made = held.content.firstElementChild;
    const link = made.querySelector("a");
    link.search = location.search;
    if (row.id === this.open) link.setAttribute("aria-current", "true");
    const below = [...this.list.querySelectorAll("[data-row]")].find((each) => Number(each.dataset.at) < row.at);
    if (below) below.before(made);
    else {
      // Older than all that is shown: it belongs to a later page, where there is one.
      const more = this.list.querySelector(".rows-more");
      if (more) more.before(made);
      else this.list.append(made);
    }
    if (focused) link.focus({ preventScroll: true });
  }

  #stands(row) {
    if (this.list.dataset.list === "mine") return row.assignee === this.me && row.lists.includes("active");
    return row.lists.includes(this.list.dataset.list);
  }

  count(counts) {
    document.querySelector("[data-waiting]").dataset.waiting = counts.waiting;
    for (const [name, count] of Object.entries(counts)) {
      const shown = document.querySelector(`[data-count="${name}"]`);
      if (shown && shown.textContent !== count) shown.textContent = count;
    }
  }

  /** Which conversation is open. */
  mark(id) {
    this.open = id;
    for (const link of this.list.querySelectorAll("[data-talk]")) {
      link.search = location.search;
      if (link.dataset.talk === id) link.setAttribute("aria-current", "true");
      else link.removeAttribute("aria-current");
    }
  }
}
