import type { ResponderConfig } from "../config.ts";
import { step } from "../episode.ts";
import type { Actor, EpisodeFacts, EpisodeState } from "../episode-state.ts";
import type { Message } from "../messages/message.ts";
import { createMessageWriter, textPlace } from "../messages/texts.ts";
import type { IncidentRecord, LogEntry } from "../store/store.ts";
import { describeInput } from "./export.ts";

/** What stands in the place of what tells where it was. */
export const placeholders = { key: "[key]", area: "[area]", room: "[room]", device: "[device]" } as const;

export const leftOut =
  "Left out: residents, key number, area, room, names and phone numbers of responders, users of the console, what they typed, and ids of devices. [key], [area], [room], [device] stand in their place; responders stand with their ids.";

/** An episode as it may be handed on, as to an authority. It holds no identities. Times are wall time, ms. */
export interface Incident {
  format: "fallvakt-incident-1";
  exportedAt: number;
  note: string;
  versions: { fallvakt: string; model: string | null; policy: string };
  episode: Record<string, unknown>;
  timeline: { at: number; seq: number; what: Record<string, unknown>; then: string[] }[];
  detections: Record<string, unknown>[];
  pages: Record<string, unknown>[];
  replies: Record<string, unknown>[];
  /** Deadlines that are still to come. */
  deadlines: { purpose: string; at: number }[];
}

export interface IncidentOptions {
  now: number;
  fallvakt: string;
  timeZone: string;
  responders: readonly Pick<ResponderConfig, "id" | "name">[];
}

/** @param record as the store has it. */
export function incidentOf(record: IncidentRecord, options: IncidentOptions): Incident {
  const { state, log, attempts, receipts, replies, due } = record;
  const { facts } = state;
  const told = retell(log);
  const devices = new Map<string, string>();
  const deviceName = (id: string) => {
    if (!devices.has(id)) devices.set(id, `device-${devices.size + 1}`);
    return devices.get(id) ?? "";
  };
  const who = (actor: Actor | null) =>
    actor === null ? null : actor.kind === "responder" ? actor.id : actor.kind === "user" ? actor.role : actor.kind;
  return {
    format: "fallvakt-incident-1",
    exportedAt: Math.round(options.now),
    note: leftOut,
    versions: {
      fallvakt: options.fallvakt,
      model: record.detections[0]?.model ?? null,
      policy: facts.policy.version,
    },
    episode: {
      id: facts.id,
      code: facts.code,
      kind: facts.kind,
      test: facts.test,
      ...(facts.trouble ? { trouble: facts.trouble.kind } : {}),
      status: state.status,
      openedAt: state.openedAt,
      repeats: state.repeats,
      takenBy: who(state.takenBy),
      takenAt: state.takenAt,
      onTheWayAt: state.onTheWayAt,
      arrivedBy: who(state.arrivedBy),
      arrivedAt: state.arrivedAt,
      closedBy: who(state.closedBy),
      closedAt: state.closedAt,
      outcome: state.outcome,
      floorMinutes: state.floorMinutes,
    },
    timeline: told.timeline,
    detections: record.detections.map(({ id: _id, deviceId, ...rest }) => ({ device: deviceName(deviceId), ...rest })),
    pages: record.pages.map((page) => ({
      id: page.id,
      responder: page.responderId,
      purpose: page.purpose,
      step: page.step,
      language: page.language,
      createdAt: page.createdAt,
      status: page.status,
      sentAgainAfterRestart: page.resent,
      ...textOf(page, told.messages.get(page.id), facts, options),
      attempts: attempts.filter(({ pageId }) => pageId === page.id).map(({ pageId: _page, ...attempt }) => attempt),
      receipts: receipts.filter(({ pageId }) => pageId === page.id).map(({ pageId: _page, ...receipt }) => receipt),
    })),
    replies: replies.map(({ responderId, letter, effect, at }) => ({ at, responder: responderId, letter, effect })),
    deadlines: due.map(({ purpose, at }) => ({ purpose, at })),
  };
}

/** What the log says happened, and what each page was to say. */
function retell(log: readonly LogEntry[]): { timeline: Incident["timeline"]; messages: Map<string, Message> } {
  const messages = new Map<string, Message>();
  const timeline: Incident["timeline"] = [];
  let state: EpisodeState | null = null;
  for (const { seq, at, input } of log) {
    const [next, commands] = step(state, input, at);
    for (const command of commands) if (command.do === "page") messages.set(command.pageId, command.message);
    const then = commands.flatMap((command) => (command.do === "tell" ? [command.event.type] : []));
    timeline.push({ at, seq, what: describeInput(input), then });
    state = next;
  }
  return { timeline, messages };
}

/**
 * A page's text with placeholders. It is worded again from what it was to say; only where the same wording with the true names gives what was sent,
 * letter by letter, is it the text as sent. Else it is left out: nobody can say what it would give away.
 */
function textOf(
  page: IncidentRecord["pages"][number],
  message: Message | undefined,
  facts: EpisodeFacts,
  { timeZone, responders }: IncidentOptions,
): { text: string | null; textLeftOut?: string } {
  const names = new Map(responders.map(({ id, name }) => [id, name]));
  const place = textPlace(facts);
  const hidden = {
    ...place,
    alias: place.alias === null ? null : placeholders.key,
    area: place.area === null ? null : placeholders.area,
    room: place.room === null ? null : placeholders.room,
    deviceId: placeholders.device,
  };
  const sent =
    message && createMessageWriter(timeZone, (id) => names.get(id) ?? id).write(message, place, page.language);
  if (!message || sent !== page.body) {
    return { text: null, textLeftOut: "worded otherwise by this version or with other names; see what it was for" };
  }
  return { text: createMessageWriter(timeZone, (id) => id).write(message, hidden, page.language) };
}

/** The same to be read. */
export function incidentText(incident: Incident, timeOf: (at: number) => string): string {
  const { episode, versions } = incident;
  const at = (value: unknown) => (typeof value === "number" ? timeOf(value) : "–");
  const words = (record: Record<string, unknown>) =>
    Object.entries(record)
      .filter(([, value]) => value !== null)
      .map(([key, value]) => `${key} ${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
      .join(", ");
  const lines = [
    `Episode ${episode.id}, code ${episode.code}, ${episode.status}${episode.outcome === null ? "" : `: ${episode.outcome}`}`,
    `Exported ${timeOf(incident.exportedAt)}. Fallvakt ${versions.fallvakt}, model ${versions.model ?? "none"}, policy ${versions.policy}`,
    incident.note,
    "",
    `Opened ${at(episode.openedAt)}, taken ${at(episode.takenAt)}, there ${at(episode.arrivedAt)}, closed ${at(episode.closedAt)}`,
    "",
    "Timeline",
    ...incident.timeline.map(
      ({ at: when, what, then }) =>
        `  ${timeOf(when)}  ${words(what)}${then.length > 0 ? ` → ${then.join(", ")}` : ""}`,
    ),
    "",
    "Detections",
    ...incident.detections.map((detection) => `  ${words(detection)}`),
    "",
    "Pages",
    ...incident.pages.flatMap(({ text, textLeftOut, attempts, receipts, createdAt, ...page }) => [
      `  ${at(createdAt)}  ${words(page)}`,
      `    ${text ?? `text left out: ${textLeftOut}`}`,
      ...(attempts as Record<string, unknown>[]).map(
        (attempt) => `    attempt ${at(attempt.startedAt)}: ${words(attempt)}`,
      ),
      ...(receipts as Record<string, unknown>[]).map((receipt) => `    receipt ${at(receipt.at)}: ${words(receipt)}`),
    ]),
    "",
    "Replies",
    ...incident.replies.map(({ at: when, ...reply }) => `  ${at(when)}  ${words(reply)}`),
    "",
    "Deadlines still to come",
    ...incident.deadlines.map(({ purpose, at: when }) => `  ${timeOf(when)}  ${purpose}`),
  ];
  return `${lines.join("\n")}\n`;
}
