/** Words that must not stand in what people read, each with its reason. Applied by tests to every text there is. */
export interface ForbiddenWords {
  pattern: RegExp;
  why: string;
}

/** In all texts: what staff read, and what engineers read. */
export const medicalWords: readonly ForbiddenWords[] = [
  {
    pattern: /patient/i,
    why: "a resident of home care is nobody's patient: the word makes it look like health care, and a medical device",
  },
  { pattern: /diagnos/i, why: "the purpose is to raise an alarm, not diagnosis (Swedish and English begin alike)" },
  { pattern: /pro[gk]nos/i, why: "nothing is predicted, only what has happened is told" },
  {
    pattern: /fallrisk|risk för fall|fall[- ]risk|risk of fall/i,
    why: "who may fall is not foretold: that would be a medical purpose",
  },
  { pattern: /symp?tom/i, why: "no state of health is watched or told" },
];

/** In texts to phones, of either language. */
export const smsWords: readonly ForbiddenWords[] = [
  {
    // help, end, stop, cancel and yes of practice, and what else the provider takes for itself.
    pattern: /\b(help|end|stop|stopall|cancel|yes|quit|start|info|unsubscribe|revoke|optout|unstop)\b/i,
    why: "whoever reads it may answer it, and the provider swallows it or stops all texts to that phone",
  },
  {
    pattern: /https?:|www\.|\b[a-z0-9-]+\.(se|com|net|org|nu|io|app)\b/i,
    why: "a link in an SMS looks like fraud, and whoever follows one is not on the way",
  },
];

/** Why a text must not be sent or shown as it is. */
export function forbiddenIn(text: string, ...lists: readonly (readonly ForbiddenWords[])[]): string[] {
  return lists.flat().flatMap(({ pattern, why }) => {
    const [found] = pattern.exec(text) ?? [];
    return found === undefined ? [] : [`"${found}" in "${text}": ${why}`];
  });
}
