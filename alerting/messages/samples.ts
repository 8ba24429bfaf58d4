import { DetectionReason } from "../../firmware-contracts/detection.ts";
import type { Language } from "../config.ts";
import { OutcomeWhat } from "../console/api.ts";
import { type EpisodeKind, troubleKinds } from "../episode-state.ts";
import { letters } from "../replies.ts";
import { longest } from "./limits.ts";
import type { LooseMessage, Message, Named, TextPlace } from "./message.ts";
import { createMessageWriter, type MessageWriter } from "./texts.ts";

/** Small: as on an ordinary night. Longest: the worst case of every part. */
export type SampleSize = "small" | "longest";

/** One text, to be shown or tried. */
export interface SampleText {
  kind: Message["kind"] | LooseMessage["kind"];
  /** When it is sent, and to whom. */
  when: string;
  /** What it is about; null for a text that is about no episode. */
  place: TextPlace | null;
  write(language: Language): string;
}

/** What goes into the samples. */
interface Values {
  /** Wall time, ms. */
  at: number;
  dayBefore: number;
  people: readonly Named[];
  minutes: readonly number[];
  floorMinutes: number;
  subject: string;
  code: string;
  digest: readonly string[];
  name: string;
  deviceId: string;
}

interface Sample<M> {
  when: string;
  /** Kinds of episode that send it. Default: a fall's, which stands for a help call's too. */
  about?: readonly EpisodeKind[];
  of(values: Values): readonly M[];
}

type Samples<U extends { kind: string }> = { readonly [K in U["kind"]]: Sample<Extract<U, { kind: K }>> };

const alarms = ["fall", "help"] as const;
const longLies = (at: number, dayBefore: number) =>
  [at - 5 * 60_000, dayBefore].flatMap((since) => [false, true].map((isUnheard) => ({ since, at, isUnheard })));
const needs = ["cannot-get-in", "two-needed"] as const;

/** A sample of each message of an episode, in the order in which they are sent. A kind that is missing here does not compile. */
const ofEpisodes: Samples<Message> = {
  alarm: {
    when: "alarm: to whoever is called out",
    of: ({ at, dayBefore }) =>
      DetectionReason.options.flatMap((reason) =>
        [false, true].map((late) => ({
          kind: "alarm",
          reason,
          impactAt: late ? dayBefore : at,
          arrivedAt: at,
          late,
        })),
      ),
  },
  "long-lie": {
    when: "nobody seen to get up for five minutes: to whoever is called out",
    of: ({ at, dayBefore }) => longLies(at, dayBefore).map((longLie) => ({ kind: "long-lie", ...longLie })),
  },
  "long-lie-taken": {
    when: "the same: to whoever has it",
    of: ({ at, dayBefore }) =>
      longLies(at, dayBefore).flatMap((longLie) =>
        [false, true].map((isOnTheWay) => ({ kind: "long-lie-taken", ...longLie, isOnTheWay })),
      ),
  },
  "not-taken": {
    when: "past the last step: to the operators",
    of: ({ at, minutes }) =>
      alarms.flatMap((alarm) => minutes.map((m) => ({ kind: "not-taken", alarm, impactAt: at, minutes: m }))),
  },
  "nobody-free": {
    when: "nobody could be paged: to the operators",
    of: ({ at }) =>
      alarms.flatMap((alarm) =>
        (["busy", "nobody"] as const).map((why) => ({ kind: "nobody-free", alarm, impactAt: at, why })),
      ),
  },
  taken: {
    when: "T: to whoever took it",
    about: ["fall", "technical"],
    of: ({ at }) => [{ kind: "taken", takenAt: at }],
  },
  "to-others": {
    when: "T: to the others who were paged",
    about: ["fall", "technical"],
    of: ({ at, people }) => people.map((by) => ({ kind: "to-others", takenAt: at, by })),
  },
  declined: { when: "N: to whoever cannot", about: ["fall", "technical"], of: () => [{ kind: "declined" }] },
  "on-the-way": { when: "V: to whoever is on the way", of: ({ at }) => [{ kind: "on-the-way", at }] },
  "not-set-off-reminder": {
    when: "taken and not on the way in time",
    of: ({ at, people }) =>
      [...people, null].map((next) => ({ kind: "not-set-off-reminder", takenAt: at, next, nextAt: at + 5 * 60_000 })),
  },
  "not-arrived-reminder": {
    when: "taken and not there in time: to whoever has it",
    of: ({ at }) => [{ kind: "not-arrived-reminder", takenAt: at }],
  },
  "not-arrived": {
    when: "taken and not there in time: to the operators",
    of: ({ at, people }) => people.map((by) => ({ kind: "not-arrived", takenAt: at, by })),
  },
  backup: {
    when: "K or D: to key holders, operators and others",
    of: ({ people }) => people.flatMap((by) => needs.map((need) => ({ kind: "backup", need, by }))),
  },
  "backup-noted": {
    when: "K or D: to whoever asked",
    of: () => needs.map((need) => ({ kind: "backup-noted", need })),
  },
  "backup-joined": {
    when: "T to a call for more people: to whoever comes",
    of: ({ people }) => people.map((by) => ({ kind: "backup-joined", by })),
  },
  "backup-coming": {
    when: "T to a call for more people: to whoever called",
    of: ({ people }) => people.map((by) => ({ kind: "backup-coming", by })),
  },
  "backup-not-coming": {
    when: "N or Z from whoever was coming: to whoever called",
    of: ({ people }) => people.map((by) => ({ kind: "backup-not-coming", by })),
  },
  "backup-off": {
    when: "K or D is taken back: to whoever was called",
    of: ({ people }) => people.map((by) => ({ kind: "backup-off", by })),
  },
  arrived: { when: "F: to whoever is there", about: ["fall", "welfare"], of: ({ at }) => [{ kind: "arrived", at }] },
  "arrived-other": {
    when: "F: to whoever else was on the way",
    of: ({ at, people }) => people.map((by) => ({ kind: "arrived-other", at, by })),
  },
  "ask-arrived": { when: "X, R or E before F", of: () => [{ kind: "ask-arrived" }] },
  noted: { when: "A or E", of: () => (["A", "E"] as const).map((letter) => ({ kind: "noted", letter })) },
  "v-or-f": { when: "P", of: () => [{ kind: "v-or-f" }] },
  letters: {
    when: "? or what cannot be read",
    about: ["fall", "welfare", "technical", "sign-on", "test"],
    of: () => [{ kind: "letters" }],
  },
  "outcome-reminder": {
    when: "there and nothing reported in time",
    about: ["fall", "welfare"],
    of: ({ at }) => [{ kind: "outcome-reminder", arrivedAt: at }],
  },
  "minutes-noted": {
    when: "minutes on the floor",
    of: ({ floorMinutes }) => [{ kind: "minutes-noted", minutes: floorMinutes }],
  },
  closed: {
    when: "S, U, R or X, or the console: to whoever has to do with it",
    about: ["fall", "welfare", "technical", "sign-on", "test"],
    of: ({ at }) =>
      OutcomeWhat.options.flatMap((outcome) => [true, false].map((undo) => ({ kind: "closed", at, outcome, undo }))),
  },
  undone: {
    when: "Z: to whoever took it back",
    of: ({ people }) => [
      ...letters.map((letter) => ({ kind: "undone", letter, status: "arrived", other: null }) as const),
      { kind: "undone", letter: "T", status: "open", other: null },
      ...people.flatMap((other) =>
        (["taken", "arrived"] as const).map((status) => ({ kind: "undone", letter: "T", status, other }) as const),
      ),
    ],
  },
  "nothing-to-undo": {
    when: "Z where nothing can be taken back",
    about: ["fall", "technical"],
    of: () => [{ kind: "nothing-to-undo" }],
  },
  reopened: {
    when: "Z after it was closed: to the others",
    of: ({ people }) => people.map((by) => ({ kind: "reopened", by })),
  },
  "already-closed": { when: "a reply after it was closed", of: ({ at }) => [{ kind: "already-closed", at }] },
  cancelled: { when: "called off by the resident", of: ({ at }) => [{ kind: "cancelled", at }] },
  welfare: {
    when: "no movement at home: to whoever is to look in",
    about: ["welfare"],
    of: ({ at }) => [{ kind: "welfare", since: at }],
  },
  "welfare-not-taken": {
    when: "the same, past the last step: to the operators",
    about: ["welfare"],
    of: ({ at, minutes }) => minutes.map((m) => ({ kind: "welfare-not-taken", since: at, minutes: m })),
  },
  "welfare-active": {
    when: "movement again: to whoever has it",
    about: ["welfare"],
    of: ({ at }) => [{ kind: "welfare-active", at }],
  },
  "welfare-still": {
    when: "and none again: to whoever has it",
    about: ["welfare"],
    of: ({ at }) => [{ kind: "welfare-still", since: at }],
  },
  "welfare-over": {
    when: "movement again, and nobody had it: to whoever was paged",
    about: ["welfare"],
    of: ({ at }) => [{ kind: "welfare-over", at }],
  },
  technical: {
    when: "an equipment fault",
    about: ["technical"],
    of: ({ at, subject }) => troubleKinds.map((trouble) => ({ kind: "technical", trouble, subject, since: at })),
  },
  "technical-over": {
    when: "an equipment fault is over",
    about: ["technical"],
    of: ({ at, subject }) => troubleKinds.map((trouble) => ({ kind: "technical-over", trouble, subject, at })),
  },
  "sign-on": {
    when: "a shift begins: to its phone",
    about: ["sign-on"],
    of: ({ at }) => [{ kind: "sign-on", from: at }],
  },
  "sign-on-missing": {
    when: "the shift's phone does not answer: to the operators",
    about: ["sign-on"],
    of: ({ at, people }) => people.map((by) => ({ kind: "sign-on-missing", by, from: at })),
  },
  "device-test": {
    when: "a device is tried: to whoever is on call",
    about: ["test"],
    of: ({ at }) => [{ kind: "device-test", until: at + 15 * 60_000 }],
  },
  "read-back-asked": { when: "a reply without a key number", about: ["test"], of: () => [{ kind: "read-back-asked" }] },
  "read-back-wrong": {
    when: "another dwelling's key number",
    about: ["test"],
    of: () => [{ kind: "read-back-wrong" }],
  },
  "device-in-operation": {
    when: "the right key number",
    about: ["test"],
    of: ({ at }) => [{ kind: "device-in-operation", at }],
  },
  "device-test-over": {
    when: "no key number in time, or closed by an operator",
    about: ["test"],
    of: () => [true, false].map((isHandedOn) => ({ kind: "device-test-over", isHandedOn })),
  },
  "self-test": {
    when: "the chain is tried: to whoever is on call",
    about: ["test"],
    of: () => [{ kind: "self-test" }],
  },
};

/** The same for texts that are about no episode. */
const loose: Samples<LooseMessage> = {
  "unknown-code": {
    when: "a code of no alarm of theirs",
    of: ({ code }) => [{ kind: "unknown-code", code }],
  },
  "code-needed": {
    when: "no code, where one is needed",
    of: ({ code }) => [code, null].map((example) => ({ kind: "code-needed", example })),
  },
  late: { when: "a reply written more than 10 min ago", of: () => [{ kind: "late" }] },
  "no-test-alarm": {
    when: "a device was to be tried, and no alarm came",
    of: ({ deviceId }) => [{ kind: "no-test-alarm", deviceId, minutes: 15 }],
  },
  digest: { when: "several equipment faults together", of: ({ digest }) => [{ kind: "digest", codes: digest }] },
};

/** 03.12 in Sweden in winter. */
const at = Date.UTC(2026, 10, 24, 2, 12);
const longestCode = "9".repeat(longest.code);

const values: Record<SampleSize, Values> = {
  small: {
    at,
    dayBefore: at - 26 * 3_600_000,
    people: [{ responder: "patrol-2" }],
    minutes: [5],
    floorMinutes: 20,
    subject: "gateway-1",
    code: "274",
    digest: ["T539", "T722"],
    name: "Patrull 2",
    deviceId: "watch-17",
  },
  longest: {
    at,
    dayBefore: at - 26 * 3_600_000,
    people: ["operator", { responder: "patrol-2" }],
    minutes: [0, 99, 100_000],
    floorMinutes: 1000,
    subject: "G".repeat(64),
    code: longestCode,
    digest: Array.from({ length: 50 }, () => `T${longestCode}`),
    name: "Å".repeat(longest.name),
    deviceId: "d".repeat(32),
  },
};

/** Where an episode of this kind can be, as its texts know it. */
function placesOf(kind: EpisodeKind, size: SampleSize): TextPlace[] {
  const code = size === "small" ? (kind === "fall" ? "274" : "539") : longestCode;
  // No device has raised these.
  const bare = { code: `T${code}`, alias: null, deviceId: "", area: null, room: null, notInOperation: null, kind };
  if (kind === "sign-on") return [{ ...bare, test: true }];
  if (kind === "technical") {
    const ofDwelling = { ...bare, alias: size === "small" ? "38" : "8".repeat(longest.alias), test: false };
    return size === "small" ? [{ ...bare, test: false }] : [{ ...bare, test: false }, ofDwelling];
  }
  const known =
    size === "small"
      ? { code, alias: "38", deviceId: "watch-17", area: "Gustavsberg syd", room: "badrum" }
      : {
          code,
          alias: "8".repeat(longest.alias),
          deviceId: "d".repeat(32),
          area: "Ö".repeat(longest.area),
          room: "ö".repeat(longest.room),
        };
  const place: TextPlace = { ...known, kind, test: false, notInOperation: null };
  if (kind === "test") return [{ ...place, code: `T${code}`, test: true }];
  if (kind === "welfare") return [{ ...place, deviceId: "" }];
  if (size === "small") return [place];
  // A device in no register has no area and no room.
  const unknown = { ...place, alias: null, area: null, room: null };
  const stored = { ...unknown, notInOperation: "in-store" as const };
  const awaiting = { ...place, notInOperation: "awaiting-test" as const };
  const tried = [place, unknown].flatMap((one) => [one, { ...one, test: true, code: `T${one.code}` }]);
  return [...tried, awaiting, stored];
}

/** Every text that people are sent, in the order in which they are sent. */
export function sampleTexts(size: SampleSize): SampleText[] {
  const own = values[size];
  const writer = createMessageWriter("Europe/Stockholm", () => own.name);
  return [
    ...Object.values<Sample<Message>>(ofEpisodes).flatMap((sample) => textsOf(sample, size, own, writer)),
    ...Object.values<Sample<LooseMessage>>(loose).flatMap(({ when, of }) =>
      of(own).map(
        (message): SampleText => ({
          kind: message.kind,
          when,
          place: null,
          write: (language) => writer.writeLoose(message, language),
        }),
      ),
    ),
  ];
}

function textsOf(sample: Sample<Message>, size: SampleSize, own: Values, writer: MessageWriter): SampleText[] {
  const { when, about = ["fall"], of } = sample;
  return of(own).flatMap((message) =>
    about
      .flatMap((kind) => placesOf(kind, size))
      .map((place) => ({
        kind: message.kind,
        when,
        place,
        write: (language) => writer.write(message, place, language),
      })),
  );
}
