// GSM 03.38 (3GPP TS 23.038): the default alphabet, and the characters that take an escape and so count twice.
const gsmBasic =
  "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà";
const gsmExtended = "^{}\\[~]|€\f";

/**
 * How many SMS a text is sent as: GSM-7 holds 160 characters in one and 153 in each of several; where any character is outside GSM-7 the whole text is UCS-2, 70 and 67.
 */
export function segmentCount(text: string): number {
  let septets = 0;
  for (const character of text) {
    if (gsmBasic.includes(character)) septets += 1;
    else if (gsmExtended.includes(character)) septets += 2;
    else return split(text.length, 70, 67);
  }
  return split(septets, 160, 153);
}

function split(units: number, alone: number, joined: number): number {
  return units <= alone ? 1 : Math.ceil(units / joined);
}
