import { createHash } from "node:crypto";
import type { Trouble } from "./episode-state.ts";

/** What joins a dwelling's repeats. Not the dwelling's own id: a fall there is an episode of its own. */
export const welfareKey = (dwellingId: string) => `welfare:${dwellingId}`;

/** The episode that an event opens: the same event again, however late, opens no second. */
export const welfareEpisodeId = (eventId: string) =>
  `e${createHash("sha256").update(eventId).digest("hex").slice(0, 24)}`;

/** What joins repeats of one outage. */
export const troubleKey = ({ kind, subject }: Pick<Trouble, "kind" | "subject">) => `trouble:${kind}:${subject}`;
