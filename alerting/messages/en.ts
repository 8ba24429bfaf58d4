import type { OutcomeWhat } from "../console/api.ts";
import type { LongLie } from "../episode-state.ts";
import { deviceTroubleKinds } from "../trouble-kinds.ts";
import { longest } from "./limits.ts";
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

/** Of a welfare alarm: nothing of a fall was asked. */
const welfareOutcomes: Record<OutcomeWhat, string> = { ...outcomes, unhurt: "needed a hand", "no-fall": "all is well" };

/**
 * The English texts. Each fits in one SMS with the longest names and codes.
 * They never hold the words that the provider takes for itself, such as those for "cease" and "assist".
 */
export const en: Texts = { of, loose };

const callsOut: ReadonlySet<Message["kind"]> = new Set(["alarm", "long-lie", "not-taken", "nobody-free"]);

function of(message: Message, place: TextPlace, write: Writer): string {
  const { code } = place;
  // An unknown sensor's id may have 32 characters; only the texts that call somebody out need it.
  const sensor = place.notInOperation === "in-store" ? "Sensor in store" : "Unknown sensor";
  const unknown = callsOut.has(message.kind) ? `${sensor} ${place.deviceId}` : sensor;
  const who = place.alias !== null ? `Key ${place.alias}` : place.deviceId ? unknown : aboutNobody[place.kind];
  const area = place.area === null ? "" : `, ${place.area}`;
  const where = place.room === null ? area : `${area}, ${place.room}`;
  // Every text about a test says so first.
  const mark = place.test ? "TEST ALARM " : "";
  switch (message.kind) {
    case "alarm":
    case "long-lie":
      if (place.test)
        return `TEST ALARM ${code}, no fall. ${who}${where}. Reply ${code} T = I take it, ${code} N = I cannot.`;
      if (message.kind === "long-lie")
        return `ALARM FALL ${code} URGENT${place.notInOperation === "awaiting-test" ? `, SENSOR NOT IN USE. ${who}${area}` : `. ${who}${where}`}. ${longLie(message, write)} Reply ${code} T or ${code} N.`;
      if (place.notInOperation)
        return `ALARM ${message.reason === "help-button" ? "BUTTON" : "FALL"} ${code} SENSOR NOT IN USE. ${who}${where}. ${reason(message, write)} Reply ${code} T or ${code} N.`;
      return `ALARM ${message.reason === "help-button" ? "BUTTON" : "FALL"} ${code}. ${who}${where}. ${reason(message, write)} Reply ${code} T = I take it, ${code} N = I cannot.`;
    case "long-lie-taken": {
      const next = message.isOnTheWay ? `${code} F when there` : `${code} V when you set off`;
      return `${mark}${code} ${who} URGENT. ${longLie(message, write)} Reply ${next}. If you cannot: ${code} N.`;
    }
    case "not-taken": {
      const what = place.test ? "Test" : message.alarm === "help" ? "Alarm button" : "Fall";
      return `${place.test ? "TEST ALARM" : "ALARM"} ${code} NOT TAKEN. ${who}${area}. ${what} ${write.time(message.impactAt)}. Nobody took it in ${minutes(message.minutes)}. Reply ${code} T or phone them now.`;
    }
    case "nobody-free": {
      const why = message.why === "busy" ? "All have other alarms" : "Nobody is on call";
      return `${mark || "ALARM "}${code} NOBODY FREE. ${who}${area}. ${message.alarm === "help" ? "Alarm button" : "Fall"} ${write.time(message.impactAt)}. ${why}. Reply ${code} T or send somebody.`;
    }
    case "welfare":
      return `WELFARE ALARM ${code}. ${who}${where}. No movement measured since ${write.time(message.since)}. Look in. Reply ${code} T or ${code} N.`;
    case "welfare-not-taken":
      return `WELFARE ALARM ${code} NOT TAKEN. ${who}${area}. No movement measured since ${write.time(message.since)}. Nobody took it in ${minutes(message.minutes)}. Reply ${code} T.`;
    case "welfare-active":
      return `${code} ${who}: movement measured again ${write.time(message.at)}. The alarm is open. Reply ${code} F when there. If you cannot: ${code} N.`;
    case "welfare-still":
      return `${code} ${who}: no movement measured since ${write.time(message.since)}. Reply ${code} F when there. If you cannot: ${code} N.`;
    case "welfare-over":
      return `WELFARE ALARM ${code} is over. ${who}: movement measured again ${write.time(message.at)}. You need not go.`;
    case "not-arrived":
      return `${mark || "ALARM "}${code} NOBODY THERE. ${who}${area}. Taken ${write.time(message.takenAt)} by ${write.name(message.by)}, not there yet. Others are paged. Reply ${code} T.`;
    case "backup":
      if (message.by === "operator") {
        return message.need === "cannot-get-in"
          ? `${mark || "ALARM "}${code} CANNOT GET IN. ${who}${area}. Staff are outside. Go there now. Reply ${code} T.`
          : `${mark || "ALARM "}${code} TWO NEEDED. ${who}${area}. Staff there need one more. Go there now. Reply ${code} T.`;
      }
      return message.need === "cannot-get-in"
        ? `${mark || "ALARM "}${code} CANNOT GET IN. ${who}${area}. ${write.name(message.by)} is outside. Phone there now. Reply ${code} T.`
        : `${mark || "ALARM "}${code} TWO NEEDED. ${who}${area}. ${write.name(message.by)} needs one more. Phone there now. Reply ${code} T.`;
    case "backup-noted":
      return `${mark}${code} ${who}: ${message.need === "cannot-get-in" ? "you cannot get in" : "two needed"}, noted. Who leads gets an SMS. The alarm is open. Stay there.`;
    case "backup-joined":
      return `${mark}${code} ${who}: noted that you ${message.by === "operator" ? "are coming" : `join ${write.name(message.by)}`}. Reply ${code} F when there.`;
    case "backup-coming":
      return `${mark}${code} ${who}: ${write.name(message.by)} has answered and joins you. The alarm is open.`;
    case "backup-not-coming":
      return `${mark}${code} ${who}: ${write.name(message.by)} is not coming. Others are asked now. The alarm is open. Stay there.`;
    case "backup-off":
      return `${mark}${code} ${who}: nobody else is needed, taken back by ${write.name(message.by)}. You need not go.`;
    case "taken":
      if (place.kind === "technical")
        return `${code} Technical alarm: you have it since ${write.time(message.takenAt)}. If you cannot: ${code} N.`;
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
      if (place.kind === "welfare")
        return `${code} there ${write.time(message.at)}. How was it? Reply ${code} and S = injury, U = needed a hand, X = all is well, E = not home.`;
      return `${place.test ? "TEST " : ""}${code} there ${write.time(message.at)}. What had happened? Reply ${code} and S = injury, U = unhurt, helped up, R = already up, X = no fall, E = not home.`;
    case "arrived-other":
      return `${mark}${code} ${who}: ${write.name(message.by)} has been there since ${write.time(message.at)}. You need not go.`;
    case "not-arrived-reminder":
      return `${mark || "REMINDER "}${code} ${who}: taken ${write.time(message.takenAt)} but nobody is there. Others are paged now. Reply ${code} F if you are there, ${code} T if you go.`;
    case "not-set-off-reminder":
      return `${mark || "REMINDER "}${code} ${who}: taken ${write.time(message.takenAt)} but nobody is on the way. Reply ${code} V or ${code} N. Else ${message.next ? write.name(message.next) : "others"} will be paged at ${write.time(message.nextAt)}.`;
    case "outcome-reminder":
      if (place.kind === "welfare")
        return `REMINDER ${code} there ${write.time(message.arrivedAt)}, not closed. Reply ${code} and S = injury, U = needed a hand, X = all is well, E = not home.`;
      return `${place.test ? "TEST " : "REMINDER "}${code} there ${write.time(message.arrivedAt)}, not closed. Reply ${code} and S = injury, U = unhurt, R = already up, X = no fall, E = not home.`;
    case "ask-arrived":
      return `${mark}${code} ${who}: are you with the person? Reply ${code} F when there. Nothing was closed.`;
    case "closed":
      if (place.kind === "test") return `${mark}${code}: thank you for the reply.`;
      if (place.kind === "sign-on")
        return `${mark}${code}: thank you, this phone has been the alarm phone since ${write.time(message.at)}.`;
      return `${mark}${code} ${who} closed ${write.time(message.at)}: ${(place.kind === "welfare" ? welfareOutcomes : outcomes)[message.outcome]}.${message.undo ? ` A mistake? Reply ${code} Z within 10 min.` : ""}`;
    case "cancelled":
      return `${mark}${code} ${who}: called off by the resident ${write.time(message.at)}. You need not go.`;
    case "undone":
      return `${mark}${code} ${who}: ${message.letter} was undone. ${standing(message, write)}`;
    case "nothing-to-undo":
      return `${mark}${code} ${who}: there is nothing to undo. Nothing was changed.`;
    case "reopened":
      return `${mark}${code} ${who} is open again: ${write.name(message.by)} has undone its closing.`;
    case "minutes-noted":
      return `${mark}${code} ${who}: noted, ${minutes(message.minutes)} on the floor.`;
    case "already-closed":
      return `${mark}${code} ${who} was closed ${write.time(message.at)}. Nothing was changed.`;
    case "noted":
      return message.letter === "A"
        ? `${mark}${code} ${who}: noted that 112 was called. The alarm is still open.`
        : `${mark}${code} ${who}: noted, not home. The alarm is still open. Phone who leads.`;
    case "v-or-f":
      return `${mark}${code}: V or F? Reply ${code} V = on the way, ${code} F = there.`;
    case "technical":
      return `TECHNICAL ALARM ${code}, not a fall. ${trouble(message, place.alias === null ? null : who, write)} Reply ${code} T = I take it.`;
    case "technical-over":
      return `TECHNICAL ALARM ${code} is over since ${write.time(message.at)}: ${place.alias === null ? "" : `${who}, `}${about(message, write)}.`;
    case "sign-on":
      return `TEST ALARM ${code}. This phone is the alarm phone from ${write.time(message.from)}. Reply ${code} T within 10 min. Without an answer the team leader is paged.`;
    case "sign-on-missing":
      return `TEST ALARM ${code} NOT ANSWERED. ${write.name(message.by)}: the alarm phone from ${write.time(message.from)} does not answer and is paged last. Phone them. Reply ${code} T when solved.`;
    case "device-test":
      return `TEST ALARM ${code}, no fall: sensor ${place.deviceId}. Reply ${code} and the key number where the sensor is, before ${write.time(message.until)}.`;
    case "read-back-asked":
      return `TEST ALARM ${code}: reply ${code} and the key number where the sensor is.`;
    case "read-back-wrong":
      return `TEST ALARM ${code}: sensor ${place.deviceId} is not registered at that key. Nothing was changed. Look and reply ${code} and the number.`;
    case "device-in-operation":
      return `TEST ALARM ${code}: right. Sensor ${place.deviceId} at ${who} has been in use since ${write.time(message.at)}.`;
    case "device-test-over":
      return message.isHandedOn
        ? `TEST ALARM ${code}: no key number in time. Sensor ${place.deviceId} is not in use. The operators have the alarm.`
        : `TEST ALARM ${code} was closed by the operator. Sensor ${place.deviceId} is not in use.`;
    case "self-test":
      return `TEST ALARM ${code}: the alarm chain is tried, no fall. You need not reply.`;
    case "letters":
      if (place.kind === "technical" || place.kind === "sign-on" || place.kind === "test")
        return `${mark}${code}: reply ${code} T = I take it.`;
      if (place.kind === "welfare")
        return `${code}: reply ${code} and T take, N cannot, V on the way, F there, K cannot get in, D two needed, S injury, U needed a hand, X all is well.`;
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
  const fall = message.reason === "sensor-suspects" ? "Fall?" : "Fall";
  if (message.late) return `${fall} ${impact}, came ${write.time(arrivedAt)}.`;
  switch (message.reason) {
    case "at-once":
      return `Hard fall ${write.time(impactAt)}.`;
    case "still":
      return `Hard fall ${write.time(impactAt)}, still since.`;
    case "silent":
      return `Hard fall ${write.time(impactAt)}, no signal after.`;
    case "soft":
      return `Lying since ${write.time(impactAt)}.`;
    case "sensor-reported":
      return `Sensor reports a fall ${write.time(impactAt)}.`;
    case "sensor-suspects":
      return `Sensor suspects a fall ${write.time(impactAt)}.`;
  }
}

/** What was measured until it was told, and no more. */
function longLie({ since, at, isUnheard }: LongLie, write: Writer): string {
  const fall = `${write.dayUnlessSame(since, at)}${write.time(since)}`;
  return isUnheard ? `No steady signal since the fall ${fall}.` : `No steps measured since the fall ${fall}.`;
}

const aboutNobody: Record<TextPlace["kind"], string> = {
  fall: "Unknown sensor",
  help: "Unknown sensor",
  welfare: "Welfare alarm",
  technical: "Technical alarm",
  "sign-on": "Alarm phone",
  test: "Test alarm",
};

/** Where an episode stands after an undo. */
function standing({ status, other }: Extract<Message, { kind: "undone" }>, write: Writer): string {
  switch (status) {
    case "open":
      return "The alarm is open, others are paged.";
    case "taken":
      return other ? `${write.name(other)} has the alarm.` : "You have the alarm.";
    case "arrived":
      return `The alarm is open, ${other ? `${write.name(other)} is` : "you are"} there.`;
    case "closed":
      return "The alarm is closed.";
  }
}

/** The links of the chain that a self-test tries. */
const links: Record<string, string> = {
  connect: "the connection",
  acknowledged: "the receipt of its data",
  detected: "the fall detector",
  intake: "the intake",
  paged: "the SMS provider",
  delivered: "delivery to the phone",
};

type Technical = Extract<Message, { kind: "technical" | "technical-over" }>;

/** What it is about, within what a text can hold: ids of gateways and rotas may be long. */
function about({ trouble: kind, subject }: Technical, write: Writer): string {
  const short = subject.slice(0, longest.subject);
  if (kind === "contact-unreachable") return `alarm phone ${write.name({ responder: subject })}`;
  if (kind === "presence-unheard") return "movement sensors";
  if (kind === "area-silent") return "several gateways";
  if (deviceTroubleKinds.includes(kind)) return `sensor ${short}`;
  if (kind === "dwelling-unwatched") return "no sensor in use";
  if (kind === "self-test-failed") return `the self-test, ${links[subject] ?? short}`;
  return kind === "rota-gap" ? `rota ${short}` : `gateway ${short}`;
}

function trouble(message: Extract<Message, { kind: "technical" }>, key: string | null, write: Writer): string {
  const what = about(message, write);
  const since = write.time(message.since);
  const short = message.subject.slice(0, longest.subject);
  const who = key ?? "No key";
  // Where no dwelling is known, only its id tells which it is.
  const device = key === null ? `sensor ${short}` : "the sensor";
  switch (message.trouble) {
    case "gateway-lost":
      return `No contact with ${what} since ${since}. Falls there raise no alarm now.`;
    case "broker-lost":
      return `No signals to ${what} since ${since}. Falls there raise no alarm now.`;
    case "contact-unreachable":
      return `SMS does not reach ${what} since ${since}. Call or change the phone.`;
    case "presence-unheard":
      return `${who}: too few movement sensors are heard since ${since}. No welfare alarms now.`;
    case "area-silent":
      return `AREA: three gateways or more silent since ${since}. No fall alarms there. Print the visiting list.`;
    case "device-overdue":
      return `${who}: no contact with ${device} since ${since}. Falls raise no alarm now.`;
    case "button-overdue":
      return `${who}: no contact with the alarm button since ${since}. It raises no alarm now.`;
    case "sensor-overdue":
      return `${who}: no contact with a movement sensor since ${since}: ${short}.`;
    case "battery-low":
      return `${who}: the battery of ${device} is nearly empty. Charge or change it.`;
    case "not-worn":
      return `${who}: ${device} is not worn since ${since}. Falls raise no alarm now.`;
    case "charging-long":
      return `${who}: ${device} is charging since ${since}. Falls raise no alarm now.`;
    case "tamper":
      return `${who}: a sensor was opened or torn off ${since}: ${short}.`;
    case "sensor-stuck":
      return `${who}: a movement sensor hangs since ${since}: ${short}.`;
    case "clock-drift":
      return `${who}: a sensor's clock is wrong since ${since}: ${short}.`;
    case "dwelling-unwatched":
      return `${who}: no sensor in use was heard for a day, and no pause runs. Falls raise no alarm.`;
    case "self-test-failed":
      return `The self-test ${since} got no further than: ${links[message.subject] ?? message.subject.slice(0, longest.subject)}. Falls may raise no alarm.`;
    case "rota-gap":
      return `Nobody on ${what} from ${write.day(message.since)} ${since}. Fill the gap.`;
  }
}

function minutes(count: number): string {
  return count > 99 ? "over 99 min" : `${count} min`;
}

function loose(message: LooseMessage): string {
  if (message.kind === "late")
    return "Your reply is older than 10 min and has changed nothing. Reply again if it still holds.";
  if (message.kind === "digest") {
    const { codes } = message;
    const named = codes.slice(0, longest.digest).join(", ");
    const more = codes.length > longest.digest ? ` and ${Math.min(99, codes.length - longest.digest)} more` : "";
    return `TECHNICAL ALARMS, not falls: ${named}${more}. See the console. Reply with the code and T, such as ${codes[0]} T.`;
  }
  if (message.kind === "no-test-alarm")
    return `Sensor ${message.deviceId}: no alarm came in ${message.minutes} min. It is not in use. Try again.`;
  if (message.kind === "unknown-code") return `Code ${message.code} is not among your alarms. Nothing was changed.`;
  return message.example === null
    ? "You have no open alarm now. Nothing was changed."
    : `Write the alarm's code first, such as ${message.example} T. Nothing was changed.`;
}
