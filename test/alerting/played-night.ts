import { step } from "../../alerting/episode.ts";
import type { EpisodeFacts, EpisodeInput, EpisodeState } from "../../alerting/episode-state.ts";
import { createMessageWriter, textPlace } from "../../alerting/messages/texts.ts";
import { createRegistry } from "../../alerting/registry/registry.ts";
import type { Store } from "../../alerting/store/store.ts";
import type { Clock } from "../../firmware-contracts/clock.ts";
import { facts as exampleFacts, second, start } from "./episode-play.ts";

/** Names of the responders in the texts of a played night. */
export const names: Readonly<Record<string, string>> = {
  p1: "Patrull 1",
  p2: "Patrull 2",
  p3: "Natt 3",
  leader: "Gruppchef",
};
export const timeZone = "Europe/Stockholm";

/** Puts a device and its dwelling into the register; returns the dwelling's id. */
export async function settle(
  store: Store,
  clock: Clock,
  deviceId: string,
  key: string,
  unit?: string,
): Promise<string> {
  const place = { key, area: "Gustavsberg syd", room: "badrum", ...(unit === undefined ? {} : { unit }) };
  await createRegistry(() => store, clock).addDevice({ deviceId, placement: "wrist", consentBy: "eva", ...place });
  return (await store.registry.device(deviceId))?.dwelling?.id ?? "";
}

/** Commits an alarm and the replies to it, as the keeper does, from `start` on. Ends it where the letters do. */
export async function playAlarm(
  store: Store,
  about: Pick<EpisodeFacts, "id" | "code" | "dwelling"> & { deviceId: string; key: string },
  letters: readonly ("T" | "V" | "F" | "U" | "N")[] = ["T", "F", "U"],
): Promise<EpisodeState> {
  const { deviceId, key, ...own } = about;
  const writer = createMessageWriter(timeZone, (id) => names[id] ?? id);
  const detection = {
    ...(exampleFacts.detection as NonNullable<EpisodeFacts["detection"]>),
    id: `${deviceId}.1.1.fall`,
    deviceId,
  };
  const place = { alias: key, area: "Gustavsberg syd", areaInTexts: true, room: "badrum" };
  let state: EpisodeState | null = null;
  let at = start;
  const apply = async (input: EpisodeInput, isFirst = false) => {
    const [next, commands] = step(state, input, at);
    const pages = commands.flatMap((command) => {
      if (command.do !== "page") return [];
      const { pageId, responderId, purpose, step: policyStep, message } = command;
      const body = writer.write(message, textPlace(next.facts), "sv");
      return [{ id: pageId, responderId, purpose, step: policyStep, language: "sv" as const, body }];
    });
    const whole = { ...detection, evidence: null, model: "m1" };
    const also = isFirst ? { detection: whole } : {};
    await store.episodes.commitStep({ state: next, input, at, pages, withdraw: false, retries: [], ...also });
    state = next;
    at += second;
  };
  await apply({ type: "opened", facts: { ...exampleFacts, ...own, place, detection } }, true);
  for (const letter of letters) await apply({ type: "reply", responderId: "p1", letter });
  if (!state) throw new Error("no step was made");
  return state;
}
