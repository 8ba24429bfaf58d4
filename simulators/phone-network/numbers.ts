/**
 * What the network knows of telephone numbers: E.164 form, and which Swedish numbers are mobile ones.
 * Source of the Swedish series: Post- och telestyrelsen's numbering plan (mobile services: 70, 72, 73, 76, 79; nine digits after +46).
 */

const e164 = /^\+[1-9]\d{7,14}$/;
const swedishMobile = /^\+467[02369]\d{7}$/;

/** True for a number in international form that could exist. */
export function isPhoneNumber(text: string): boolean {
  return e164.test(text);
}

/**
 * True where an SMS can arrive. Swedish numbers are told apart by series, so +468… (Stockholm, landline) is none;
 * of other countries' numbers the network knows nothing and takes them for mobile ones.
 */
export function isMobileNumber(number: string): boolean {
  return number.startsWith("+46") ? swedishMobile.test(number) : isPhoneNumber(number);
}
