const storageKey = "fallvakt.sound";

/** The alarm's sound, made here so that no file must be fetched. Browsers allow it only after a press or a key. */
export interface AlarmSound {
  wanted(): boolean;
  want(on: boolean): void;
  /** True where the browser still holds the sound back. */
  blocked(): boolean;
  /** Lets the browser know that a person has pressed something. */
  unlock(): Promise<void>;
  ring(): void;
}

export function createAlarmSound(): AlarmSound {
  let context: AudioContext | null = null;

  /** Two rising tones, three times. */
  function ring(): void {
    if (context?.state !== "running" || localStorage.getItem(storageKey) === "off") return;
    const start = context.currentTime;
    for (let tone = 0; tone < 6; tone++) {
      const oscillator = context.createOscillator();
      const gain = context.createGain();
      const at = start + tone * 0.22 + Math.floor(tone / 2) * 0.18;
      oscillator.frequency.value = tone % 2 === 0 ? 740 : 988;
      gain.gain.setValueAtTime(0, at);
      gain.gain.linearRampToValueAtTime(0.35, at + 0.02);
      gain.gain.linearRampToValueAtTime(0, at + 0.2);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(at);
      oscillator.stop(at + 0.22);
    }
  }

  return {
    wanted: () => localStorage.getItem(storageKey) !== "off",
    want: (on) => localStorage.setItem(storageKey, on ? "on" : "off"),
    blocked: () => context?.state !== "running",
    async unlock() {
      context ??= new AudioContext();
      if (context.state !== "running") await context.resume();
    },
    ring,
  };
}
