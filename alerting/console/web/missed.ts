import type { EpisodeView } from "../api.ts";

/** What became of an episode while nobody could see it, in the order in which such things happen. */
export const missedSteps = [
  "new",
  "reopened",
  "long-lie",
  "given-back",
  "taken",
  "on-the-way",
  "called-112",
  "backup",
  "arrived",
  "closed",
] as const;
export type MissedStep = (typeof missedSteps)[number];

export interface Missed {
  /** As it is now. */
  view: EpisodeView;
  steps: readonly MissedStep[];
}

type Episodes = ReadonlyMap<string, EpisodeView>;
type Known = Pick<
  EpisodeView,
  "status" | "takenAt" | "onTheWayAt" | "arrivedAt" | "called112At" | "backup" | "longLie"
>;

const unheardOf: Known = {
  status: "open",
  takenAt: null,
  onTheWayAt: null,
  arrivedAt: null,
  called112At: null,
  backup: null,
  longLie: null,
};

/** What happened between two boards: what still waits for somebody first, then the latest. `from`: when the first was, by the server's clock. */
export function missedBetween(before: Episodes, after: Episodes, from: number): Missed[] {
  const missed = [...after.values()].flatMap((view): Missed[] => {
    const known = before.get(view.id);
    // Closed before that: it was on no board.
    if (!known && view.closedAt !== null && view.closedAt <= from) return [];
    const happened = stepsTo(known ?? unheardOf, view);
    const steps = missedSteps.filter((step) => (step === "new" ? known === undefined : happened.has(step)));
    return steps.length > 0 ? [{ view, steps }] : [];
  });
  const waits = ({ view }: Missed) => Number(view.status === "open");
  return missed.sort((a, b) => waits(b) - waits(a) || b.view.openedAt - a.view.openedAt);
}

function stepsTo(known: Known, view: EpisodeView): Set<MissedStep> {
  const isNew = (key: "takenAt" | "onTheWayAt" | "arrivedAt" | "called112At") =>
    view[key] !== null && view[key] !== known[key];
  const happened: [MissedStep, boolean][] = [
    ["reopened", known.status === "closed" && view.status !== "closed"],
    ["long-lie", view.longLie !== null && known.longLie === null],
    ["given-back", view.status === "open" && (known.status === "taken" || known.status === "arrived")],
    ["taken", isNew("takenAt")],
    ["on-the-way", isNew("onTheWayAt") && view.status === "taken"],
    ["called-112", isNew("called112At")],
    ["backup", view.backup !== null && view.backup.need !== known.backup?.need],
    ["arrived", isNew("arrivedAt")],
    ["closed", view.status === "closed" && known.status !== "closed"],
  ];
  return new Set(happened.flatMap(([step, so]) => (so ? [step] : [])));
}
