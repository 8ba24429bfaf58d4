import type { OutcomeWhat } from "../console/api.ts";
import type { LongLie } from "../episode-state.ts";
import { deviceTroubleKinds } from "../trouble-kinds.ts";
import { longest } from "./limits.ts";
import type { LooseMessage, Message, TextPlace, Texts, Writer } from "./message.ts";

const outcomes: Record<OutcomeWhat, string> = {
  injury: "skada",
  unhurt: "oskadd, hjälpt upp",
  "already-up": "redan uppe",
  "no-fall": "inget fall",
  "not-home": "ej hemma",
  "help-call": "hjälp gavs",
  test: "prov",
  unknown: "okänt",
};

/** Of a welfare alarm: nothing of a fall was asked. */
const welfareOutcomes: Record<OutcomeWhat, string> = { ...outcomes, unhurt: "hjälp gavs", "no-fall": "allt väl" };

/** The Swedish texts. Each fits in one SMS with the longest names and codes. */
export const sv: Texts = { of, loose };

const callsOut: ReadonlySet<Message["kind"]> = new Set(["alarm", "long-lie", "not-taken", "nobody-free"]);

function of(message: Message, place: TextPlace, write: Writer): string {
  const { code } = place;
  // An unknown sensor's id may have 32 characters; only the texts that call somebody out need it.
  const sensor = place.notInOperation === "in-store" ? "Sensor i förrådet" : "Okänd sensor";
  const unknown = callsOut.has(message.kind) ? `${sensor} ${place.deviceId}` : sensor;
  const who = place.alias !== null ? `Nyckel ${place.alias}` : place.deviceId ? unknown : aboutNobody[place.kind];
  const area = place.area === null ? "" : `, ${place.area}`;
  const where = place.room === null ? area : `${area}, ${place.room}`;
  // Every text about a test says so first.
  const mark = place.test ? "PROVLARM " : "";
  switch (message.kind) {
    case "alarm":
    case "long-lie":
      if (place.test)
        return `PROVLARM ${code}, inget fall. ${who}${where}. Svara ${code} T = tar det, ${code} N = kan inte.`;
      if (message.kind === "long-lie")
        return `LARM FALL ${code} BRÅDSKAR${place.notInOperation === "awaiting-test" ? `, SENSOR EJ I DRIFT. ${who}${area}` : `. ${who}${where}`}. ${longLie(message, write)} Svara ${code} T eller ${code} N.`;
      if (place.notInOperation)
        return `LARM ${message.reason === "help-button" ? "HJÄLP" : "FALL"} ${code} SENSOR EJ I DRIFT. ${who}${where}. ${reason(message, write)} Svara ${code} T eller ${code} N.`;
      return `LARM ${message.reason === "help-button" ? "HJÄLP" : "FALL"} ${code}. ${who}${where}. ${reason(message, write)} Svara ${code} T = tar larmet, ${code} N = kan inte.`;
    case "long-lie-taken": {
      const next = message.isOnTheWay ? `${code} F när du är framme` : `${code} V när du åker`;
      return `${mark}${code} ${who} BRÅDSKAR. ${longLie(message, write)} Svara ${next}. Förhinder: ${code} N.`;
    }
    case "not-taken": {
      const what = place.test ? "Prov" : message.alarm === "help" ? "Larmknapp" : "Fall";
      return `${place.test ? "PROVLARM" : "LARM"} ${code} EJ TAGET. ${who}${area}. ${what} ${write.time(message.impactAt)}. Ingen har tagit det på ${minutes(message.minutes)}. Svara ${code} T eller ring dem.`;
    }
    case "nobody-free": {
      const why = message.why === "busy" ? "Alla har andra larm" : "Ingen är på pass";
      return `${mark || "LARM "}${code} INGEN LEDIG. ${who}${area}. ${message.alarm === "help" ? "Larmknapp" : "Fall"} ${write.time(message.impactAt)}. ${why}. Svara ${code} T eller skicka någon nu.`;
    }
    case "welfare":
      return `OMSORGSLARM ${code}. ${who}${where}. Ingen rörelse uppmätt sedan ${write.time(message.since)}. Titta till. Svara ${code} T eller ${code} N.`;
    case "welfare-not-taken":
      return `OMSORGSLARM ${code} EJ TAGET. ${who}${area}. Ingen rörelse uppmätt sedan ${write.time(message.since)}. Ingen har tagit det på ${minutes(message.minutes)}. Svara ${code} T.`;
    case "welfare-active":
      return `${code} ${who}: rörelse uppmätt igen ${write.time(message.at)}. Larmet är öppet. Svara ${code} F när du är framme. Förhinder: ${code} N.`;
    case "welfare-still":
      return `${code} ${who}: ingen rörelse uppmätt sedan ${write.time(message.since)}. Svara ${code} F när du är framme. Förhinder: ${code} N.`;
    case "welfare-over":
      return `OMSORGSLARM ${code} är över. ${who}: rörelse uppmätt igen ${write.time(message.at)}. Du behöver inte åka.`;
    case "not-arrived":
      return `${mark || "LARM "}${code} INGEN FRAMME. ${who}${area}. Taget ${write.time(message.takenAt)} av ${write.name(message.by)}, ej framme. Andra larmas nu. Svara ${code} T.`;
    case "backup":
      // Who asked on the console has no number that is known here.
      if (message.by === "operator") {
        return message.need === "cannot-get-in"
          ? `${mark || "LARM "}${code} KOMMER INTE IN. ${who}${area}. Personal står utanför. Åk dit nu. Svara ${code} T.`
          : `${mark || "LARM "}${code} TVÅ BEHÖVS. ${who}${area}. Personal på plats behöver en till. Åk dit nu. Svara ${code} T.`;
      }
      return message.need === "cannot-get-in"
        ? `${mark || "LARM "}${code} KOMMER INTE IN. ${who}${area}. ${write.name(message.by)} står utanför. Ring dit nu. Svara ${code} T.`
        : `${mark || "LARM "}${code} TVÅ BEHÖVS. ${who}${area}. ${write.name(message.by)} behöver en till. Ring dit nu. Svara ${code} T.`;
    case "backup-noted":
      return `${mark}${code} ${who}: ${message.need === "cannot-get-in" ? "du kommer inte in" : "två behövs"}, noterat. Ansvarig får SMS. Larmet är öppet. Stanna kvar.`;
    case "backup-joined":
      return `${mark}${code} ${who}: noterat att du ${message.by === "operator" ? "kommer dit" : `hjälper ${write.name(message.by)}`}. Svara ${code} F när du är framme.`;
    case "backup-coming":
      return `${mark}${code} ${who}: ${write.name(message.by)} har svarat och hjälper dig. Larmet är öppet.`;
    case "backup-not-coming":
      return `${mark}${code} ${who}: ${write.name(message.by)} kommer inte. Fler kontaktas nu. Larmet är öppet. Stanna kvar.`;
    case "backup-off":
      return `${mark}${code} ${who}: hjälp behövs inte längre, återtaget av ${write.name(message.by)}. Du behöver inte åka.`;
    case "taken":
      if (place.kind === "technical")
        return `${code} Tekniskt larm: du har det sedan ${write.time(message.takenAt)}. Kan du inte: ${code} N.`;
      if (place.test)
        return `PROVLARM ${code} ${who}: DU HAR DET sedan ${write.time(message.takenAt)}. Svara ${code} F och sedan ${code} X för att avsluta provet.`;
      return `${code} ${who}: DU HAR LARMET sedan ${write.time(message.takenAt)}. Svara ${code} V när du åker, ${code} F när du är framme. Förhinder: ${code} N, då larmas nästa direkt.`;
    case "to-others":
      return `${mark}${code} ${who} är taget av ${write.name(message.by)} kl ${write.time(message.takenAt)}. Du behöver inte åka.`;
    case "declined":
      return `${mark}${code} ${who}: noterat att du inte kan. Ändrar det sig, svara ${code} T.`;
    case "on-the-way":
      return `${mark}${code} ${who}: på väg ${write.time(message.at)}. Svara ${code} F när du är framme. Förhinder: ${code} N.`;
    case "arrived":
      if (place.kind === "welfare")
        return `${code} framme ${write.time(message.at)}. Hur gick det? Svara ${code} och S = skada, U = behövde hjälp, X = allt väl, E = ej hemma.`;
      return `${place.test ? "PROV " : ""}${code} framme ${write.time(message.at)}. Hur gick det? Svara ${code} och S = skada, U = oskadd men hjälpt upp, R = redan uppe, X = inget fall, E = ej hemma.`;
    case "arrived-other":
      return `${mark}${code} ${who}: ${write.name(message.by)} är framme sedan ${write.time(message.at)}. Du behöver inte åka.`;
    case "not-arrived-reminder":
      return `${mark || "PÅMINNELSE "}${code} ${who}: taget ${write.time(message.takenAt)} men ingen är framme. Andra larmas nu. Svara ${code} F om du är där, ${code} T om du åker.`;
    case "not-set-off-reminder":
      return `${mark || "PÅMINNELSE "}${code} ${who}: taget ${write.time(message.takenAt)} men ingen är på väg. Svara ${code} V eller ${code} N. Utan svar larmas ${message.next ? write.name(message.next) : "andra"} kl ${write.time(message.nextAt)}.`;
    case "outcome-reminder":
      if (place.kind === "welfare")
        return `PÅMINNELSE ${code} framme ${write.time(message.arrivedAt)}, inte avslutat. Svara ${code} och S = skada, U = behövde hjälp, X = allt väl, E = ej hemma.`;
      return `${place.test ? "PROV " : "PÅMINNELSE "}${code} framme ${write.time(message.arrivedAt)}, inte avslutat. Svara ${code} och S = skada, U = oskadd, R = redan uppe, X = inget fall, E = ej hemma.`;
    case "ask-arrived":
      return `${mark}${code} ${who}: är du hos personen? Svara ${code} F när du är framme. Inget har avslutats.`;
    case "closed":
      if (place.kind === "test") return `${mark}${code}: tack för svaret.`;
      if (place.kind === "sign-on")
        return `${mark}${code}: tack, telefonen är larmtelefon sedan ${write.time(message.at)}.`;
      return `${mark}${code} ${who} avslutat ${write.time(message.at)}: ${(place.kind === "welfare" ? welfareOutcomes : outcomes)[message.outcome]}.${message.undo ? ` Blev det fel? Svara ${code} Z inom 10 min.` : ""}`;
    case "cancelled":
      return `${mark}${code} ${who}: avbrutet av den boende ${write.time(message.at)}. Du behöver inte åka.`;
    case "undone":
      return `${mark}${code} ${who}: ${message.letter} är ångrat. ${standing(message, write)}`;
    case "nothing-to-undo":
      return `${mark}${code} ${who}: det finns inget att ångra. Inget har ändrats.`;
    case "reopened":
      return `${mark}${code} ${who} är öppet igen: ${write.name(message.by)} har ångrat avslutet.`;
    case "minutes-noted":
      return `${mark}${code} ${who}: noterat, ${minutes(message.minutes)} på golvet.`;
    case "already-closed":
      return `${mark}${code} ${who} avslutades ${write.time(message.at)}. Inget har ändrats.`;
    case "noted":
      return message.letter === "A"
        ? `${mark}${code} ${who}: noterat att 112 är uppringt. Larmet är fortfarande öppet.`
        : `${mark}${code} ${who}: noterat ej hemma. Larmet är fortfarande öppet. Ring ansvarig.`;
    case "v-or-f":
      return `${mark}${code}: V eller F? Svara ${code} V = på väg, ${code} F = framme.`;
    case "technical":
      return `TEKNISKT LARM ${code}, inte ett fall. ${trouble(message, place.alias === null ? null : who, write)} Svara ${code} T = tar det.`;
    case "technical-over":
      return `TEKNISKT LARM ${code} är över sedan ${write.time(message.at)}: ${place.alias === null ? "" : `${who}, `}${about(message, write)}.`;
    case "sign-on":
      return `PROVLARM ${code}. Den här telefonen är larmtelefon från ${write.time(message.from)}. Svara ${code} T inom 10 min. Utan svar larmas gruppchefen.`;
    case "sign-on-missing":
      return `PROVLARM ${code} EJ BESVARAT. ${write.name(message.by)}: larmtelefonen från ${write.time(message.from)} svarar inte och larmas sist. Ring dem. Svara ${code} T när det är löst.`;
    case "device-test":
      return `PROVLARM ${code}, inget fall: sensor ${place.deviceId}. Svara ${code} och nyckelnumret där sensorn är, före ${write.time(message.until)}.`;
    case "read-back-asked":
      return `PROVLARM ${code}: svara ${code} och nyckelnumret där sensorn är.`;
    case "read-back-wrong":
      return `PROVLARM ${code}: sensor ${place.deviceId} är inte inlagd på det nyckelnumret. Inget har ändrats. Se efter och svara ${code} och numret.`;
    case "device-in-operation":
      return `PROVLARM ${code}: rätt. Sensor ${place.deviceId} på ${who} är i drift sedan ${write.time(message.at)}.`;
    case "device-test-over":
      return message.isHandedOn
        ? `PROVLARM ${code}: inget nyckelnummer i tid. Sensor ${place.deviceId} är inte i drift. Larmet har gått till operatörerna.`
        : `PROVLARM ${code} avslutat av larmoperatören. Sensor ${place.deviceId} är inte i drift.`;
    case "self-test":
      return `PROVLARM ${code}: larmkedjan provas, inget fall. Du behöver inte svara.`;
    case "letters":
      if (place.kind === "technical" || place.kind === "sign-on" || place.kind === "test")
        return `${mark}${code}: svara ${code} T = tar det.`;
      if (place.kind === "welfare")
        return `${code}: svara ${code} och T tar, N kan inte, V på väg, F framme, K kommer inte in, D två behövs, S skada, U behövde hjälp, X allt väl.`;
      return `${mark}${code}: svara ${code} och T tar, N kan inte, V på väg, F framme, K kommer inte in, D två behövs, S skada, U oskadd, R redan uppe, X inget fall.`;
  }
}

function reason(message: Extract<Message, { kind: "alarm" }>, write: Writer): string {
  const { impactAt, arrivedAt } = message;
  const impact = `${write.dayUnlessSame(impactAt, arrivedAt)}${write.time(impactAt)}`;
  if (message.reason === "help-button") {
    return message.late
      ? `Knapp ${impact}, kom fram ${write.time(arrivedAt)}.`
      : `Tryckte på larmknappen ${write.time(impactAt)}.`;
  }
  const fall = message.reason === "sensor-suspects" ? "Fall?" : "Fall";
  if (message.late) return `${fall} ${impact}, kom fram ${write.time(arrivedAt)}.`;
  switch (message.reason) {
    case "at-once":
      return `Hårt fall ${write.time(impactAt)}.`;
    case "still":
      return `Hårt fall ${write.time(impactAt)}, stilla sedan dess.`;
    case "silent":
      return `Hårt fall ${write.time(impactAt)}, ingen signal efter.`;
    case "soft":
      return `Ligger sedan ${write.time(impactAt)}.`;
    case "sensor-reported":
      return `Sensor larmar fall ${write.time(impactAt)}.`;
    case "sensor-suspects":
      return `Sensor misstänker fall ${write.time(impactAt)}.`;
  }
}

/** What was measured until it was told, and no more. */
function longLie({ since, at, isUnheard }: LongLie, write: Writer): string {
  const fall = `${write.dayUnlessSame(since, at)}${write.time(since)}`;
  return isUnheard ? `Ingen stadig signal sedan fallet ${fall}.` : `Inga steg uppmätta sedan fallet ${fall}.`;
}

const aboutNobody: Record<TextPlace["kind"], string> = {
  fall: "Okänd sensor",
  help: "Okänd sensor",
  welfare: "Omsorgslarm",
  technical: "Tekniskt larm",
  "sign-on": "Larmtelefon",
  test: "Provlarm",
};

/** Where an episode stands after an undo. */
function standing({ status, other }: Extract<Message, { kind: "undone" }>, write: Writer): string {
  switch (status) {
    case "open":
      return "Larmet är öppet, andra larmas.";
    case "taken":
      return other ? `${write.name(other)} har larmet.` : "Du har larmet.";
    case "arrived":
      return `Larmet är öppet, ${other ? write.name(other) : "du"} är framme.`;
    case "closed":
      return "Larmet är avslutat.";
  }
}

/** The links of the chain that a self-test tries. */
const links: Record<string, string> = {
  connect: "anslutningen",
  acknowledged: "kvittensen",
  detected: "falldetektorn",
  intake: "intaget",
  paged: "SMS-tjänsten",
  delivered: "leveransen till telefonen",
};

type Technical = Extract<Message, { kind: "technical" | "technical-over" }>;

/** What it is about, within what a text can hold: ids of gateways and rotas may be long. */
function about({ trouble: kind, subject }: Technical, write: Writer): string {
  const short = subject.slice(0, longest.subject);
  if (kind === "contact-unreachable") return `larmtelefon ${write.name({ responder: subject })}`;
  if (kind === "presence-unheard") return "rörelsesensorer";
  if (kind === "area-silent") return "flera lokalenheter";
  if (deviceTroubleKinds.includes(kind)) return `sensor ${short}`;
  if (kind === "dwelling-unwatched") return "ingen sensor i drift";
  if (kind === "self-test-failed") return `självtestet, ${links[subject] ?? short}`;
  return kind === "rota-gap" ? `larmschema ${short}` : `lokalenhet ${short}`;
}

function trouble(message: Extract<Message, { kind: "technical" }>, key: string | null, write: Writer): string {
  const what = about(message, write);
  const since = write.time(message.since);
  const short = message.subject.slice(0, longest.subject);
  const who = key ?? "Okänd bostad";
  // Where no dwelling is known, only its id tells which it is.
  const device = key === null ? `sensor ${short}` : "sensorn";
  switch (message.trouble) {
    case "gateway-lost":
      return `Ingen kontakt med ${what} sedan ${since}. Fall där larmas inte nu.`;
    case "broker-lost":
      return `Inga signaler till ${what} sedan ${since}. Fall där larmas inte nu.`;
    case "contact-unreachable":
      return `SMS når inte ${what} sedan ${since}. Ring eller byt telefon.`;
    case "presence-unheard":
      return `${who}: för få rörelsesensorer hörs sedan ${since}. Omsorgslarm går inte.`;
    case "area-silent":
      return `OMRÅDE: minst tre lokalenheter tysta sedan ${since}. Fall där larmas inte nu. Ta fram besökslistan.`;
    case "device-overdue":
      return `${who}: ingen kontakt med ${device} sedan ${since}. Fall larmas inte nu.`;
    case "button-overdue":
      return `${who}: ingen kontakt med larmknappen sedan ${since}. Den larmar inte nu.`;
    case "sensor-overdue":
      return `${who}: ingen kontakt med rörelsesensor sedan ${since}: ${short}.`;
    case "battery-low":
      return `${who}: ${device} har snart slut på batteri. Ladda eller byt.`;
    case "not-worn":
      return `${who}: ${device} bärs inte sedan ${since}. Fall larmas inte nu.`;
    case "charging-long":
      return `${who}: ${device} laddas sedan ${since}. Fall larmas inte nu.`;
    case "tamper":
      return `${who}: sensor öppnad eller lossad ${since}: ${short}.`;
    case "sensor-stuck":
      return `${who}: rörelsesensor har hängt sig sedan ${since}: ${short}.`;
    case "clock-drift":
      return `${who}: sensorns klocka går fel sedan ${since}: ${short}.`;
    case "dwelling-unwatched":
      return `${who}: ingen sensor i drift hörd på ett dygn, och ingen paus. Fall larmas inte.`;
    case "self-test-failed":
      return `Självtestet ${since} stannade: ${links[message.subject] ?? message.subject.slice(0, longest.subject)}. Fall kanske inte larmas.`;
    case "rota-gap":
      return `Ingen på ${what} från ${write.day(message.since)} ${since}. Fyll luckan.`;
  }
}

function minutes(count: number): string {
  return count > 99 ? "över 99 min" : `${count} min`;
}

function loose(message: LooseMessage): string {
  if (message.kind === "late")
    return "Ditt svar är äldre än 10 min och har inte ändrat något. Svara igen om det gäller.";
  if (message.kind === "digest") {
    const { codes } = message;
    const named = codes.slice(0, longest.digest).join(", ");
    const more = codes.length > longest.digest ? ` och ${Math.min(99, codes.length - longest.digest)} till` : "";
    return `TEKNISKA LARM, inte fall: ${named}${more}. Se konsolen. Svara med koden och T, som ${codes[0]} T.`;
  }
  if (message.kind === "no-test-alarm")
    return `Sensor ${message.deviceId}: inget larm kom på ${message.minutes} min. Den är inte i drift. Prova igen.`;
  if (message.kind === "unknown-code") return `Koden ${message.code} finns inte bland dina larm. Inget har ändrats.`;
  return message.example === null
    ? "Du har inget öppet larm just nu. Inget har ändrats."
    : `Skriv larmets kod först, till exempel ${message.example} T. Inget har ändrats.`;
}
