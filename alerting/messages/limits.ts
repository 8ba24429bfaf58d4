/** The longest each part of a text may be, in characters. With these every text fits in one SMS (texts.test.ts tries them all). */
export const longest = {
  /** Key number of a dwelling, as `38`. */
  alias: 8,
  area: 22,
  room: 16,
  /** A responder's name, as `Patrull 2`. */
  name: 20,
  /** A gateway's or a rota's id in a text; it is cut there. */
  subject: 24,
  /** Codes named in one digest. */
  digest: 6,
  /** A code without its T: three digits, four and five where those run out. */
  code: 5,
} as const;
