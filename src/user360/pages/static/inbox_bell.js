// A short sound for a new message: off until somebody switches it on, and remembered.

const KEY = "inbox-sound";
const RANG = "inbox-rang";
const APART = 1_500; // milliseconds between two sounds, in all tabs together
const TONES = [
  [880, 0],
  [1174.7, 0.12],
]; // hertz, and after how many seconds

export class Bell {
  constructor(button) {
    this.button = button;
    this.audio = null;
    this.#show();
    button?.addEventListener("click", () => {
      localStorage.setItem(KEY, this.on ? "off" : "on");
      this.#show();
      if (this.on) this.#play();
    });
    // A browser lets a page sound only after somebody has done something in it.
    for (const kind of ["pointerdown", "keydown"]) document.addEventListener(kind, () => this.#wake());
    window.addEventListener("storage", (event) => event.key === KEY && this.#show());
  }

  get on() {
    return Boolean(this.button) && localStorage.getItem(KEY) === "on";
  }

  /** Sound once for what came together. */
  ring() {
    const now = Date.now();
    if (!this.on || Math.abs(now - Number(localStorage.getItem(RANG))) < APART) return;
    localStorage.setItem(RANG, String(now));
    this.#play();
  }

  #show() {
    this.button?.setAttribute("aria-pressed", String(this.on));
  }

  #wake() {
    if (!this.on) return;
    this.audio ||= new AudioContext();
    if (this.audio.state === "suspended") this.audio.resume();
  }

  #play() {
    this.#wake();
    for (const [pitch, after] of TONES) {
      const begin = this.audio.currentTime + after;
      const tone = this.audio.createOscillator();
      const loudness = this.audio.createGain();
      tone.frequency.value = pitch;
      loudness.gain.setValueAtTime(0.12, begin);
      loudness.gain.exponentialRampToValueAtTime(0.001, begin + 0.25);
      tone.connect(loudness).connect(this.audio.destination);
      tone.start(begin);
      tone.stop(begin + 0.25);
    }
  }
}
