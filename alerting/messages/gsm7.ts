// GSM 03.38 (3GPP TS 23.038): the default alphabet, and the characters that take an escape and so count twice.
const basic =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const extended = "^{}\\[~]|€\f";

/** What one SMS holds, in septets. */
export const smsSeptets = 160;

/** Length in septets, or null where a character is outside GSM-7 and the whole text would become UCS-2. */
export function gsm7Length(text: string): number | null {
  let septets = 0;
  for (const character of text) {
    if (basic.includes(character)) septets += 1;
    else if (extended.includes(character)) septets += 2;
    else return null;
  }
  return septets;
}

/** True where every character takes exactly one septet. */
export function isGsm7(text: string): boolean {
  return [...text].every((character) => basic.includes(character));
}
