import type { OutcomeWhat } from "../console/api.ts";
import type { LooseMessage, Message, TextPlace, Texts, Writer } from "./message.ts";

const outcomes: Record<OutcomeWhat, string> = {
  injury: "injury",
  unhurt: "unhurt, got up with staff",
  "already-up": "already up",
  "no-fall": "no fall",
  "not-home": "not home",
  "help-call": "assistance given",
  test: "test",
  unknown: "unknown",
};

/**
 * The English texts. Each fits in one SMS with the longest names and codes.
 * They never hold the words that the provider takes for itself, such as those for "cease" and "assist".
 */
export const en: Texts = { of, loose };

const callsOut: ReadonlySet<Message["kind"]> = new Set(["alarm", "not-taken"]);

function of(message: Message, place: TextPlace, write: Writer): string {
  const { code } = place;
  // An unknown sensor's id may have 32 characters; only the texts that call somebody out need it.
  const unknown = callsOut.has(message.kind) ? `Unknown sensor ${place.deviceId}` : "Unknown sensor";
  const who = place.alias === null ? unknown : `Key ${place.alias}`;
  const area = place.area === null ? "" : `, ${place.area}`;
  const where = place.room === null ? area : `${area}, ${place.room}`;
  // Every text about a test says so first.
  const mark = place.test ? "TEST ALARM " : "";
  switch (message.kind) {
    case "alarm":
      if (place.test)
        return `TEST ALARM ${code}, no fall. ${who}${where}. Reply ${code} T = I take it, ${code} N = I cannot.`;
      return `ALARM ${message.reason === "help-button" ? "BUTTON" : "FALL"} ${code}. ${who}${where}. ${reason(message, write)} Reply ${code} T = I take it, ${code} N = I cannot.`;
    case "not-taken": {
      const what = place.test ? "Test" : message.alarm === "help" ? "Alarm button" : "Fall";
      return `${place.test ? "TEST ALARM" : "ALARM"} ${code} NOT TAKEN. ${who}${area}. ${what} ${write.time(message.impactAt)}. Nobody took it in ${minutes(message.minutes)}. Reply ${code} T or phone them now.`;
    }
    case "not-arrived":
      return `${mark || "ALARM "}${code} NOBODY THERE. ${who}${area}. Taken ${write.time(message.takenAt)} by ${write.name(message.by)}, not there yet. Others are paged. Reply ${code} T.`;
    case "backup":
      return message.need === "cannot-get-in"
        ? `${mark || "ALARM "}${code} CANNOT GET IN. ${who}${area}. ${write.name(message.by)} is outside. Phone there now. Reply ${code} T.`
        : `${mark || "ALARM "}${code} TWO NEEDED. ${who}${area}. ${write.name(message.by)} needs one more. Phone there now. Reply ${code} T.`;
    case "backup-noted":
      return `${mark}${code} ${who}: ${message.need === "cannot-get-in" ? "you cannot get in" : "two needed"}, noted. Who leads gets an SMS. The alarm is open. Stay there.`;
    case "backup-joined":
      return `${mark}${code} ${who}: noted that you join ${write.name(message.by)}. Reply ${code} F when there.`;
    case "backup-coming":
      return `${mark}${code} ${who}: ${write.name(message.by)} has answered and joins you. The alarm is open.`;
    case "taken":
      if (place.test)
        return `TEST ALARM ${code} ${who}: YOU HAVE IT since ${write.time(message.takenAt)}. Reply ${code} F, then ${code} X to finish the test.`;
      return `${code} ${who}: YOU HAVE THE ALARM since ${write.time(message.takenAt)}. Reply ${code} V when you set off, ${code} F when there. If you cannot: ${code} N, the next is paged at once.`;
    case "to-others":
      return `${mark}${code} ${who} was taken by ${write.name(message.by)} at ${write.time(message.takenAt)}. You need not go.`;
    case "declined":
      return `${mark}${code} ${who}: noted that you cannot. If that changes, reply ${code} T.`;
    case "on-the-way":
      return `${mark}${code} ${who}: on the way ${write.time(message.at)}. Reply ${code} F when there. If you cannot: ${code} N.`;
    case "arrived":
      return `${place.test ? "TEST " : ""}${code} there ${write.time(message.at)}. What had happened? Reply ${code} and S = injury, U = unhurt, helped up, R = already up, X = no fall, E = not home.`;
    case "arrived-other":
      return `${mark}${code} ${who}: ${write.name(message.by)} has been there since ${write.time(message.at)}. You need not go.`;
    case "not-arrived-reminder":
      return `${mark || "REMINDER "}${code} ${who}: taken ${write.time(message.takenAt)} but nobody is there. Others are paged now. Reply ${code} F if you are there, ${code} T if you go.`;
    case "outcome-reminder":
      return `${place.test ? "TEST " : "REMINDER "}${code} there ${write.time(message.arrivedAt)}, not closed. Reply ${code} and S = injury, U = unhurt, R = already up, X = no fall, E = not home.`;
    case "ask-arrived":
      return `${mark}${code} ${who}: are you with the person? Reply ${code} F when there. Nothing was closed.`;
    case "closed":
      return `${mark}${code} ${who} closed ${write.time(message.at)}: ${outcomes[message.outcome]}.`;
    case "already-closed":
      return `${mark}${code} ${who} was closed ${write.time(message.at)}. Nothing was changed.`;
    case "noted":
      return message.letter === "A"
        ? `${mark}${code} ${who}: noted that 112 was called. The alarm is still open.`
        : `${mark}${code} ${who}: noted, not home. The alarm is still open. Phone who leads.`;
    case "v-or-f":
      return `${mark}${code}: V or F? Reply ${code} V = on the way, ${code} F = there.`;
    case "letters":
      return `${mark}${code}: reply ${code} and T take, N cannot, V on the way, F there, K cannot get in, D two needed, S injury, U unhurt, R already up, X no fall.`;
  }
}

function reason(message: Extract<Message, { kind: "alarm" }>, write: Writer): string {
  const { impactAt, arrivedAt } = message;
  const impact = `${write.dayUnlessSame(impactAt, arrivedAt)}${write.time(impactAt)}`;
  if (message.reason === "help-button") {
    return message.late
      ? `Alarm button ${impact}, came ${write.time(arrivedAt)}.`
      : `Pressed the alarm button ${write.time(impactAt)}.`;
  }
  if (message.late) return `Fall ${impact}, came ${write.time(arrivedAt)}.`;
  switch (message.reason) {
    case "at-once":
      return `Hard fall ${write.time(impactAt)}.`;
    case "still":
      return `Hard fall ${write.time(impactAt)}, still since.`;
    case "silent":
      return `Hard fall ${write.time(impactAt)}, no signal after.`;
    case "soft":
      return `Lying since ${write.time(impactAt)}.`;
  }
}

function minutes(count: number): string {
  return count > 99 ? "over 99 min" : `${count} min`;
}

function loose(message: LooseMessage): string {
  if (message.kind === "unknown-code") return `Code ${message.code} is not among your alarms. Nothing was changed.`;
  return message.example === null
    ? "You have no open alarm now. Nothing was changed."
    : `Write the alarm's code first, such as ${message.example} T. Nothing was changed.`;
}
