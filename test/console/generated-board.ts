import {
  type ActionResult,
  type ConsoleAction,
  type ConsoleBackend,
  type EpisodeDetail,
  type PageView,
  type TimelineEntry,
  viewOf,
} from "../../alerting/console/api.ts";
import type { ConsoleUser } from "../../alerting/console/roles.ts";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { Evidence } from "../../firmware-contracts/detection.ts";

/** A backend in memory for trying the server and the page alone; the chain's own tests use the true one. */
export interface GeneratedBackend extends ConsoleBackend {
  put(episode: EpisodeDetail): void;
  setTroubles(troubles: string[]): void;
  listeners(): number;
}

export const operator = { name: "Maria", password: "generated for this test", role: "operator" } as const;

export function createGeneratedBackend(clock: Clock, episodes: EpisodeDetail[] = []): GeneratedBackend {
  const byId = new Map(episodes.map((episode) => [episode.id, episode]));
  const listeners = new Set<(id: string) => void>();
  let troubles: string[] = [];

  function put(episode: EpisodeDetail): void {
    byId.set(episode.id, episode);
    for (const listener of listeners) listener(episode.id);
  }

  function act(episode: EpisodeDetail, action: ConsoleAction, user: ConsoleUser): ActionResult {
    const at = clock.wallNow();
    if (episode.status === "closed") return { ok: false, problem: "already-closed" };
    if (action.action === "take") {
      if (episode.status !== "open") return { ok: false, problem: "already-taken" };
      put(
        changed(episode, "taken", user, at, { status: "taken", takenBy: user.name, takenAt: at, nextDeadline: null }),
      );
    } else if (action.action === "arrived") {
      if (episode.status !== "taken") return { ok: false, problem: "not-taken" };
      put(changed(episode, "arrived", user, at, { status: "arrived", arrivedAt: at }));
    } else if (action.action === "on-the-way") {
      put(changed(episode, "on-the-way", user, at, { onTheWayAt: at }));
    } else if (action.action === "cannot") {
      put(changed(episode, "released", user, at, { status: "open", takenBy: null, takenAt: null }));
    } else if (action.action === "cannot-get-in" || action.action === "two-needed") {
      const backup = { need: action.action, by: user.name, coming: [] };
      put(changed(episode, "backup-asked", user, at, { backup }));
    } else if (action.action === "called-112") {
      put(changed(episode, "called-112", user, at, { called112At: at }));
    } else if (action.action === "undo") {
      return { ok: false, problem: "nothing-to-undo" };
    } else {
      if (episode.status !== "arrived" && !action.reason) return { ok: false, problem: "reason-needed" };
      const { outcome } = action;
      const patch = { status: "closed", outcome, closedAt: at, closedBy: user.name, nextDeadline: null } as const;
      put(changed(episode, "closed", user, at, patch));
    }
    return { ok: true };
  }

  return {
    put,
    setTroubles: (words) => {
      troubles = words;
    },
    listeners: () => listeners.size,
    board: () => [...byId.values()].map(viewOf),
    episode: (id) => byId.get(id) ?? null,
    async act(id, action, user) {
      const episode = byId.get(id);
      return episode ? act(episode, action, user) : { ok: false, problem: "not-found" };
    },
    onChange(listener) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    async verifyUser(name, password) {
      return name === operator.name && password === operator.password
        ? { name, role: operator.role, units: null }
        : null;
    },
    troubles: () => troubles,
  };
}

function changed(
  episode: EpisodeDetail,
  what: string,
  user: ConsoleUser,
  at: number,
  patch: Partial<EpisodeDetail>,
): EpisodeDetail {
  const entry: TimelineEntry = { at, what, who: user.name, via: "console", detail: null };
  return { ...episode, ...patch, timeline: [...episode.timeline, entry] };
}

/** An untaken fall `minutesAgo` before `now`, in the words of practice. */
export function generatedFall(now: number, minutesAgo: number, patch: Partial<EpisodeDetail> = {}): EpisodeDetail {
  const impactAt = now - minutesAgo * 60_000;
  const openedAt = impactAt + 2_600;
  return {
    id: `generated-${patch.code ?? "274"}`,
    code: "274",
    kind: "fall",
    status: "open",
    alias: "38",
    notInOperation: null,
    unit: "Gustavsberg",
    ofDwelling: true,
    area: "Gustavsberg syd",
    room: "badrum",
    reason: "still",
    strength: "strong",
    trouble: null,
    impactAt,
    openedAt,
    late: false,
    test: false,
    longLie: null,
    activeAt: null,
    repeats: 0,
    takenBy: null,
    takenAt: null,
    onTheWayAt: null,
    arrivedAt: null,
    closedAt: null,
    closedBy: null,
    outcome: null,
    done: null,
    floorMinutes: null,
    backup: null,
    called112At: null,
    undo: null,
    step: 0,
    nextDeadline: { purpose: "next-page", at: openedAt + 180_000 },
    pages: [page("Patrull 2", openedAt + 400, "delivered")],
    timeline: [
      { at: openedAt, what: "detection", who: null, via: null, detail: patch.reason ?? "still" },
      { at: openedAt, what: "episode-opened", who: null, via: null, detail: null },
      { at: openedAt + 400, what: "page-queued", who: "Patrull 2", via: "sms", detail: "alarm" },
      { at: openedAt + 400, what: "page-sent", who: "Patrull 2", via: "sms", detail: "accepted" },
    ],
    evidence: generatedEvidence(),
    detection: {
      deviceId: `watch-${patch.alias ?? "38"}`,
      impactAt,
      arrivedAt: impactAt + 400,
      detectedAt: openedAt,
      clockSuspect: false,
    },
    reported: null,
    model: "wrist-1",
    ...patch,
  };
}

export function page(responder: string, at: number, status: PageView["status"], step = 0, purpose = "alarm"): PageView {
  return { id: `${responder}-${at}`, responder, step, purpose, at, status };
}

/** Walking, a free fall of 0.3 s, an impact and rest on the side: 10 s at 50 Hz, without chance. */
export function generatedEvidence(): Evidence {
  const rateHz = 50;
  const startMs = -4000;
  const x: (number | null)[] = [];
  const y: (number | null)[] = [];
  const z: (number | null)[] = [];
  for (let index = 0; index < 10 * rateHz; index++) {
    const t = (startMs + (index * 1000) / rateHz) / 1000;
    const jitter = Math.sin(index * 12.9898) * 18;
    if (t < -0.35) {
      x.push(180 * Math.sin(t * 11) + jitter);
      y.push(-930 + 220 * Math.sin(t * 12.4 + 1));
      z.push(260 + 140 * Math.sin(t * 6.1 + 2) - jitter);
    } else if (t < 0) {
      x.push(120 + jitter);
      y.push(-240 - 300 * t);
      z.push(90 - jitter);
    } else {
      const shock = Math.exp(-t * 7);
      x.push(960 + 2900 * shock * Math.cos(t * 42) + jitter / 4);
      y.push(-150 - 1900 * shock * Math.cos(t * 36));
      z.push(180 + 1500 * shock * Math.sin(t * 30) - jitter / 4);
    }
  }
  return {
    peakG: 4.5,
    score: 0.97,
    scores: {
      startMs,
      stepMs: 250,
      // Each window that has the fall and its shock in it is more like a fall, the nearer its middle is to the shock.
      values: Array.from({ length: 41 }, (_, index) => {
        const t = startMs / 1000 + index / 4;
        return Math.round((0.02 + 0.95 * Math.exp(-((t / 0.8) ** 2))) * 1000) / 1000;
      }),
      judgedMs: 0,
      medium: 0.42,
      strong: 0.88,
    },
    fallMs: 240,
    tiltDeg: 81,
    stillSeconds: 2,
    unknownSeconds: 0,
    rangeG: 8,
    rateHz,
    window: { rateHz, startMs, x, y, z },
  };
}

/** A night's board: not taken, taken, arrived, a test, and closed ones. */
export function generatedNight(now: number): EpisodeDetail[] {
  const at = (minutesAgo: number) => now - minutesAgo * 60_000;
  return [
    generatedFall(now, 3.6, {
      code: "274",
      nextDeadline: { purpose: "next-page", at: now + 74_000 },
      pages: [page("Patrull 2", at(3.5), "delivered"), page("Patrull 3", at(0.6), "failed", 1)],
      step: 1,
      timeline: [
        { at: at(3.55), what: "detection", who: null, via: null, detail: "still" },
        { at: at(3.55), what: "episode-opened", who: null, via: null, detail: null },
        { at: at(3.5), what: "page-queued", who: "Patrull 2", via: "sms", detail: "alarm" },
        { at: at(3.5), what: "page-sent", who: "Patrull 2", via: "sms", detail: "accepted" },
        { at: at(3.45), what: "receipt", who: "Patrull 2", via: "sms", detail: "delivered" },
        { at: at(0.6), what: "page-queued", who: "Patrull 3", via: "sms", detail: "alarm" },
        { at: at(0.6), what: "page-sent", who: "Patrull 3", via: "sms", detail: "accepted" },
        { at: at(0.5), what: "receipt", who: "Patrull 3", via: "sms", detail: "failed" },
      ],
    }),
    generatedFall(now, 11, {
      code: "539",
      kind: "help",
      reason: "help-button",
      strength: "strong",
      alias: "46",
      area: "Gustavsberg norr",
      room: null,
      status: "taken",
      takenBy: "Patrull 1",
      takenAt: at(9.8),
      evidence: null,
      nextDeadline: { purpose: "arrive", at: now + 312_000 },
      pages: [page("Patrull 1", at(10.9), "delivered")],
    }),
    generatedFall(now, 34, {
      code: "826",
      alias: "7",
      area: "Charlottendal",
      room: "sovrum",
      reason: "soft",
      strength: "medium",
      status: "arrived",
      takenBy: "Patrull 3",
      takenAt: at(32),
      arrivedAt: at(14),
      nextDeadline: null,
      pages: [page("Patrull 3", at(33.5), "unknown")],
      repeats: 1,
    }),
    generatedFall(now, 96, {
      code: "345",
      alias: "21",
      area: "Charlottendal",
      room: "kök",
      reason: "at-once",
      status: "closed",
      takenBy: "Patrull 2",
      takenAt: at(94),
      arrivedAt: at(83),
      closedAt: at(71),
      closedBy: "Patrull 2",
      outcome: "unhurt",
      nextDeadline: null,
      pages: [page("Patrull 2", at(95.8), "delivered")],
    }),
    generatedFall(now, 240, {
      code: "692",
      alias: "54",
      room: "hall",
      reason: "silent",
      late: true,
      openedAt: at(178),
      status: "closed",
      takenBy: "Patrull 1",
      takenAt: at(176),
      closedAt: at(150),
      closedBy: "Maria",
      outcome: "no-fall",
      nextDeadline: null,
    }),
  ];
}
