import { readLedger } from "./blind-time/ledger.ts";
import { detailOf, pageStatus, readShown, viewOf } from "./board.ts";
import type { EpisodeDetail, EpisodeView } from "./console/api.ts";
import type { EpisodeRecord, JoinedDetection, PastEpisodes, SentText } from "./console/episode/api.ts";
import type { EpisodeFacts, EpisodeState } from "./episode-state.ts";
import type { PageStatus, Store, TextRow } from "./store/store.ts";

export interface PastWanted {
  /** Opened before this, wall ms; left out: the latest. */
  before?: number | undefined;
  limit: number;
  alias?: string | undefined;
  only?: "alarms" | undefined;
  maySee(view: EpisodeView): boolean;
}

/** Episodes as the store has them: also those that the board holds no more. */
export interface EpisodeRecords {
  detail(id: string): Promise<EpisodeDetail | null>;
  record(id: string): Promise<EpisodeRecord | null>;
  past(wanted: PastWanted): Promise<PastEpisodes>;
}

/** Texts and detections of one episode that are told, the newest. */
const shownTexts = 200;
const shownDetections = 200;
const blindBeforeMs = 24 * 3_600_000;
/** Closed episodes that are read at a time, and how often for one answer: alarms go between. */
const readAtOnce = 200;
const mostReads = 10;

/** @param nameOf a responder's name. */
export function createEpisodeRecords(store: () => Store, nameOf: (responderId: string) => string): EpisodeRecords {
  const viewOfState = (state: EpisodeState) =>
    viewOf({ state, pages: [], timeline: [], called112At: null, evidence: null, model: null }, nameOf);

  return {
    async detail(id) {
      const state = await store().episodes.episode(id);
      return state && detailOf(await readShown(store(), state, nameOf), nameOf);
    },

    async record(id) {
      const state = await store().episodes.episode(id);
      if (!state) return null;
      const { facts } = state;
      const [texts, detections, threshold, blind] = await Promise.all([
        store().pages.textsOf(id, shownTexts),
        store().episodes.detectionsIn(id, shownDetections),
        thresholdAt(store(), facts),
        blindBefore(store(), state),
      ]);
      return {
        texts: texts.map((row) => sentText(row, nameOf)),
        detections: detections.map(({ evidence, ...detection }): JoinedDetection => {
          const {
            id: detectionId,
            deviceId,
            kind,
            strength,
            reason,
            impactAt,
            detectedAt,
            arrivedAt,
            late,
            model,
          } = detection;
          const measured = { score: evidence?.score ?? null, peakG: evidence?.peakG ?? null };
          return {
            ...{ id: detectionId, deviceId, kind, strength, reason, impactAt, detectedAt, arrivedAt, late, model },
            ...measured,
          };
        }),
        threshold,
        blind,
      };
    },

    async past({ before = Number.MAX_SAFE_INTEGER, limit, alias, only, maySee }) {
      const episodes: EpisodeView[] = [];
      let from: number | null = before;
      for (let read = 0; read < mostReads && from !== null && episodes.length < limit; read++) {
        const states: EpisodeState[] = await store().episodes.closedBefore(from, readAtOnce);
        from = states.length < readAtOnce ? null : (states.at(-1)?.openedAt ?? null);
        for (const [index, state] of states.entries()) {
          const view = viewOfState(state);
          if (isWanted(view, alias, only) && maySee(view)) episodes.push(view);
          // What was opened in the same millisecond goes with it: the next answer begins before that.
          if (episodes.length < limit || states[index + 1]?.openedAt === state.openedAt) continue;
          if (index + 1 < states.length) from = state.openedAt;
          break;
        }
      }
      return { episodes, before: from };
    },
  };
}

const alarms: ReadonlySet<EpisodeView["kind"]> = new Set(["fall", "help", "welfare"]);

function isWanted({ alias, kind }: EpisodeView, wanted: string | undefined, only: PastWanted["only"]): boolean {
  if (only === "alarms" && !alarms.has(kind)) return false;
  return wanted === undefined || alias.toLowerCase() === wanted.toLowerCase();
}

/** The threshold that the device had at the time, where it was ever given one. */
async function thresholdAt(store: Store, { detection }: EpisodeFacts): Promise<EpisodeRecord["threshold"]> {
  if (detection?.kind !== "fall") return null;
  const versions = await store.registry.thresholdVersions(detection.deviceId);
  const last = versions.findLast(({ at }) => at <= detection.detectedAt);
  return last ? { value: last.threshold, since: last.at } : null;
}

/** Of an alarm from a dwelling in the register. */
async function blindBefore(store: Store, { facts, openedAt }: EpisodeState): Promise<EpisodeRecord["blind"]> {
  if ((facts.kind !== "fall" && facts.kind !== "help") || facts.place.alias === null) return null;
  const until = Math.round(openedAt);
  const wanted = { from: until - blindBeforeMs, until, dwellingId: facts.dwelling };
  const [ledger] = await readLedger(store.blindTime, wanted);
  return ledger
    ? ledger.spans.map(({ from, until: to, reason }) => ({ from: Math.round(from), until: Math.round(to), reason }))
    : null;
}

const textStatus: Record<PageStatus, SentText["status"]> = { ...pageStatus, withdrawn: "withdrawn" };

function sentText({ page, attempts, receipts, isShared }: TextRow, nameOf: (id: string) => string): SentText {
  const { id, responderId, purpose, step, language, body, createdAt, status } = page;
  return {
    ...{ id, to: nameOf(responderId), purpose, step, language, body, at: createdAt },
    ...{ status: textStatus[status], isShared, attempts, receipts },
  };
}
