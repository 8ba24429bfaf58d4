import { purposes, type TroubleKind, troubleKinds } from "../../episode-state.ts";
import type { EpisodeView, PageView } from "../api.ts";
import type { Words } from "./language.ts";
import type { MissedStep } from "./missed.ts";

/** What staff call the dwelling: a number is the key's. A device in no dwelling goes by its own id. */
export function aliasOf(words: Words, view: Pick<EpisodeView, "alias">): string {
  return /^\d{1,6}[a-z]?$/i.test(view.alias) ? words.say("alias.key", { number: view.alias }) : view.alias;
}

export function placeOf(view: Pick<EpisodeView, "area" | "room">): string {
  return [view.area, view.room].filter(Boolean).join(" · ");
}

/** What an alarm is about: what a sensor measured, or what is wrong with the equipment. */
function whyOf({
  kind,
  reason,
  trouble,
}: EpisodeView): NonNullable<EpisodeView["reason"]> | TroubleKind | "sign-on" | "welfare" | "test" {
  if (kind === "welfare" || kind === "test") return kind;
  return reason ?? troubleKinds.find((one) => one === trouble?.kind) ?? "sign-on";
}

/** Why it alarmed, claiming nothing beyond what was measured until the alarm. */
export function reasonOf(words: Words, view: EpisodeView, now: number): string {
  const reason = words.say(`reason.${whyOf(view)}`, { time: words.time(view.impactAt, now) });
  if (!view.late) return reason;
  const late = { time: words.time(view.impactAt, now), received: words.time(view.openedAt, now) };
  return `${reason} ${words.say("reason.late", late)}`;
}

/** That nobody was seen to get up, as it was measured until that was told; null where that is not so. */
export function longLieOf(words: Words, { longLie }: Pick<EpisodeView, "longLie">, now: number): string | null {
  if (!longLie) return null;
  return words.say(longLie.isUnheard ? "long-lie.unheard" : "long-lie.heard", { time: words.time(longLie.since, now) });
}

/** That there is movement again, where somebody has the alarm all the same. */
export function activeOf(words: Words, { activeAt }: Pick<EpisodeView, "activeAt">, now: number): string | null {
  return activeAt === null ? null : words.say("welfare.active", { time: words.time(activeAt, now) });
}

/** Who waits at the door, or with the person, for whom; null where nobody does. */
export function backupOf(words: Words, { backup }: Pick<EpisodeView, "backup">): string | null {
  if (!backup) return null;
  const asked = words.say(`backup.${backup.need}`, { who: backup.by ?? words.say("status.nobody") });
  const { coming } = backup;
  const answer =
    coming.length > 0 ? words.say("backup.coming", { who: coming.join(", ") }) : words.say("backup.called");
  return `${asked} ${answer}`;
}

/** What happened to it while contact was lost. */
export function missedStepOf(words: Words, view: EpisodeView, step: MissedStep, now: number): string {
  const { takenBy, takenAt, onTheWayAt, arrivedAt, closedAt, closedBy, called112At, outcome } = view;
  const nobody = words.say("status.nobody");
  const at = {
    taken: takenAt,
    "on-the-way": onTheWayAt,
    arrived: arrivedAt,
    closed: closedAt,
    "called-112": called112At,
  };
  const when = step in at ? at[step as keyof typeof at] : null;
  return words.say(`missed.${step}`, {
    who: (step === "closed" ? closedBy : takenBy) ?? nobody,
    time: when === null ? "" : words.time(when, now),
    outcome: outcome ? words.say(`outcome.${outcome}`) : nobody,
  });
}

/** `view`'s state, who and when. */
export function statusOf(words: Words, view: EpisodeView, now: number): string {
  const nobody = words.say("status.nobody");
  const line = (who: string | null, at: number | null) => ({
    who: who ?? nobody,
    time: at === null ? "" : words.time(at, now),
  });
  if (view.status === "open") return words.say("status.open");
  if (view.status === "taken") return words.say("status.taken", line(view.takenBy, view.takenAt));
  if (view.status === "arrived") return words.say("status.arrived", line(view.takenBy, view.arrivedAt));
  if (view.closedBy === null) return words.say("status.ended", line(null, view.closedAt));
  return words.say("status.closed", line(view.closedBy, view.closedAt));
}

/** A length of time as a person says it: seconds below a minute, then minutes, then hours. Never negative. */
export function lengthOf(words: Words, ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  if (seconds < 60) return words.say("time.seconds", { seconds });
  const minutes = Math.floor(seconds / 60);
  if (minutes < 100) return words.say("time.minutes", { minutes });
  return words.say("time.hours", { hours: Math.floor(minutes / 60), minutes: minutes % 60 });
}

/** Minutes and seconds left, `1:05`. */
export function countdownOf(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
}

/** What happens next by itself and when. */
export function deadlineOf(words: Words, view: EpisodeView, now: number): string | null {
  if (!view.nextDeadline) return null;
  const { purpose, at } = view.nextDeadline;
  const known = purposes.find((one) => one === purpose) ?? "unknown";
  if (at <= now) return words.say(`deadline.${known}.now`);
  return words.say(`deadline.${known}`, { time: countdownOf(at - now) });
}

const asksToGo = new Set(["alarm", "welfare", "technical", "sign-on", "test", "not-taken", "backup"]);

/** The latest page that asked each responder to go: confirmations and reminders stand in the story. */
export function latestPages(view: EpisodeView): PageView[] {
  const byResponder = new Map<string, PageView>();
  for (const page of view.pages) {
    if (!asksToGo.has(page.purpose)) continue;
    const known = byResponder.get(page.responder);
    if (!known || page.at >= known.at) byResponder.set(page.responder, page);
  }
  return [...byResponder.values()].sort((a, b) => a.at - b.at);
}
