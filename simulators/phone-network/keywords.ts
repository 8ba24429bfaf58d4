/**
 * The words that Twilio acts on by itself for a long number. They count only where they are the whole message; case does not matter.
 * Source: Twilio's documentation of opt-out keywords (SMS STOP filtering).
 */
const stopWords = ["STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"];
const startWords = ["START", "YES", "UNSTOP"];
const helpWords = ["HELP", "INFO"];

export type Keyword = "STOP" | "START" | "HELP";

/** Which keyword a message is, or null for any other text. */
export function keywordOf(body: string): Keyword | null {
  const word = body.trim().toUpperCase();
  if (stopWords.includes(word)) return "STOP";
  if (startWords.includes(word)) return "START";
  if (helpWords.includes(word)) return "HELP";
  return null;
}

/** What the network itself texts back to a phone that sent a keyword. */
export const keywordAnswers: Record<Keyword, string> = {
  STOP: "You will get no more messages from this number. Reply START to get them again.",
  START: "You will get messages from this number again. Reply STOP to end them.",
  HELP: "Reply STOP to get no more messages from this number.",
};
