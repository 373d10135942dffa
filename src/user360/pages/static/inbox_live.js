// The live connection: server-sent events, and a way back when they break off.

const LONGEST = 10_000; // milliseconds between two attempts
// Milliseconds after which the server is told again that somebody is there: a computer that was
// closed does not say so, and its connection seems open for long.
const STILL = 60_000;

export class Live {
  /** `hears` says what to do with what is told, and `where` the page is. */
  constructor(hears) {
    this.hears = hears;
    this.seen = hears.seen;
    this.failed = 0;
    this.source = null;
    this.waiting = 0;
    window.addEventListener("online", () => this.connect());
    window.addEventListener("offline", () => this.#broken());
    setInterval(() => this.#still(), STILL);
    window.addEventListener("pagehide", () => this.source?.close());
    window.addEventListener("pageshow", (event) => event.persisted && this.connect());
  }

  /** Connect, or do it anew because the page looks at something else. */
  connect() {
    clearTimeout(this.waiting);
    this.source?.close();
    const asked = new URLSearchParams({ ...this.hears.where(), seen: this.seen });
    const source = new EventSource(`/inbox/live?${asked}`);
    this.source = source;
    this.#on(source, "hello", (told) => {
      this.failed = 0;
      this.hears.linked(true);
      if (told.seen) this.seen = told.seen;
      if (told.me) this.hears.there(told.me);
      if (told.stale) this.hears.stale();
    });
    this.#on(source, "missed", (told) => this.hears.missed(told));
    this.#on(source, "batch", (told) => {
      this.seen = told.seen;
      this.hears.batch(told);
    });
    this.#on(source, "over", () => location.reload());
    source.addEventListener("error", () => source === this.source && this.#broken());
  }

  #on(source, name, heard) {
    source.addEventListener(name, (event) => source === this.source && heard(JSON.parse(event.data)));
  }

  #broken() {
    this.source?.close();
    this.source = null;
    this.hears.linked(false);
    clearTimeout(this.waiting);
    const most = Math.min(LONGEST, 500 * 2 ** this.failed);
    this.failed += 1;
    this.waiting = setTimeout(() => this.#again(), most * (0.5 + Math.random() / 2));
  }

  async #still() {
    if (this.source?.readyState !== EventSource.OPEN) return;
    try {
      await fetch("/inbox/here", { redirect: "manual" });
    } catch {
      this.#broken();
    }
  }

  /** Whoever was signed out meanwhile is led to the way in. */
  async #again() {
    try {
      const answer = await fetch("/inbox/here", { redirect: "manual" });
      if (answer.type === "opaqueredirect" || answer.status === 403) location.reload();
      else if (answer.ok) this.connect();
      else this.#broken();
    } catch {
      this.#broken();
    }
  }
}
