// Sound and flash at a disagreement. Both are off until somebody turns them on.

export class Alarms {
  constructor() {
    this.on = { sound: false, flash: false };
    this.audio = null;
  }

  toggle(which, button) {
    this.on[which] = !this.on[which];
    button.setAttribute("aria-pressed", this.on[which]);
    // A browser gives sound only after a click or a key; this is one.
    if (this.on.sound && !this.audio) this.audio = new AudioContext();
    if (which === "sound" && this.on.sound) this.#beep();
  }

  raise() {
    if (this.on.sound) this.#beep();
    if (this.on.flash) {
      document.body.classList.add("flash");
      setTimeout(() => document.body.classList.remove("flash"), 700); // once: never a flicker
    }
  }

  #beep() {
    const { audio } = this;
    const [tone, volume] = [audio.createOscillator(), audio.createGain()];
    tone.frequency.value = 660;
    volume.gain.setValueAtTime(0.2, audio.currentTime);
    volume.gain.exponentialRampToValueAtTime(0.001, audio.currentTime + 0.4);
    tone.connect(volume).connect(audio.destination);
    tone.start();
    tone.stop(audio.currentTime + 0.4);
  }
}
