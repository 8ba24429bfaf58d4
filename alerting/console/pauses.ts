import { z } from "zod";
import { PauseReason } from "../../firmware-contracts/intake.ts";
import type { DwellingKey, Dwellings } from "../registry/dwellings.ts";
import { Refusal, refusing } from "./problems.ts";
import { type Account, maySeeUnit } from "./roles.ts";
import type { ConsoleArea } from "./routes.ts";

const dwelling = {
  key: z.string().trim().min(1).max(60),
  unit: z.string().trim().max(60).optional().meta({ description: "Where key numbers repeat; empty: in no unit" }),
};

/** What begins a pause: so many minutes, or until then. */
export const PauseRequest = z
  .strictObject({
    ...dwelling,
    reason: PauseReason,
    minutes: z.number().int().min(1).optional(),
    until: z.number().int().optional().meta({ description: "Wall time, ms since 1970 UTC" }),
  })
  .meta({ id: "PauseRequest" });
const EndRequest = z.strictObject(dwelling).meta({ id: "PauseEndRequest" });

export const PauseView = z
  .object({
    key: z.string(),
    unit: z.string().nullable(),
    from: z.number().int(),
    until: z.number().int(),
    reason: PauseReason,
    by: z.string(),
  })
  .meta({ id: "PauseView" });

/** Whoever is in the dwelling may pause it for as long as a visit lasts; longer, or for a stay elsewhere, is an operator's or a manager's. */
const responders = { reasons: ["staff-in-dwelling", "visit", "bath"] as PauseReason[], mostMinutes: 240 };

function mayPause({ role }: Account, { reason, minutes }: z.infer<typeof PauseRequest>): boolean {
  if (role !== "responder") return true;
  return responders.reasons.includes(reason) && minutes !== undefined && minutes <= responders.mostMinutes;
}

/** Pauses. Each is written to the audit log with the account that asked; whoever may begin one may end any, for that only watches more. */
export function pausesArea(dwellings: Pick<Dwellings, "pause" | "endPause" | "pauses" | "find">): ConsoleArea {
  /** Another unit's is as a key that nobody has: whose it is, is not told. */
  async function own(account: Account, { key, unit }: DwellingKey): Promise<DwellingKey> {
    const found = await dwellings.find({ key, unit: unit === "" ? null : unit }, (one) => maySeeUnit(account, one));
    return { key: found.alias, unit: found.unit };
  }

  return (api) => {
    api.route(
      {
        method: "GET",
        url: "/pauses",
        tag: "Pauses",
        summary: "Pauses that are running",
        needs: "residents.read",
        answer: z.array(PauseView),
      },
      async ({ account }) => (await dwellings.pauses()).filter(({ unit }) => maySeeUnit(account, unit)),
    );
    api.route(
      {
        method: "POST",
        url: "/pauses",
        tag: "Pauses",
        summary: "Begin a pause",
        needs: "pauses.write",
        body: PauseRequest,
        answer: PauseView,
        problems: ["refused", "not-allowed"],
      },
      ({ account, body }) => {
        if (!mayPause(account, body)) {
          const detail = `A responder pauses for ${responders.reasons.join(", ")} and ${responders.mostMinutes} minutes at most; ask an operator`;
          throw new Refusal(403, "not-allowed", detail);
        }
        const { key, unit, ...pause } = body;
        return refusing(async () => {
          return dwellings.pause(await own(account, { key, unit }), { ...pause, by: account.name });
        });
      },
    );
    api.route(
      {
        method: "POST",
        url: "/pauses/end",
        tag: "Pauses",
        summary: "End a pause before its time",
        needs: "pauses.write",
        body: EndRequest,
        answer: z.object({ ended: z.boolean() }),
        problems: ["refused"],
      },
      ({ account, body }) =>
        refusing(async () => {
          return { ended: await dwellings.endPause(await own(account, body), account.name) };
        }),
    );
  };
}
