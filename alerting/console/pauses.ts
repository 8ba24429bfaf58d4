import type { FastifyInstance } from "fastify";
import { z } from "zod";
import { PauseReason } from "../../firmware-contracts/intake.ts";
import type { Dwellings } from "../registry/dwellings.ts";
import type { ConsoleUser } from "./api.ts";
import { readBody, sendProblem } from "./problems.ts";

const dwelling = { key: z.string().trim().min(1).max(60), unit: z.string().trim().min(1).max(60).optional() };

/** What begins a pause: so many minutes, or until then. */
export const PauseRequest = z
  .strictObject({
    ...dwelling,
    reason: PauseReason,
    minutes: z.number().int().min(1).optional(),
    until: z.number().int().optional().meta({ description: "Wall time, ms since 1970 UTC" }),
  })
  .meta({ id: "PauseRequest" });
const EndRequest = z.strictObject(dwelling);

/** Whoever is in the dwelling may pause it for as long as a visit lasts; longer, or for a stay elsewhere, is an operator's. */
const responders = { reasons: ["staff-in-dwelling", "visit", "bath"] as PauseReason[], mostMinutes: 240 };

function mayPause(user: ConsoleUser, { reason, minutes }: z.infer<typeof PauseRequest>): boolean {
  if (user.role === "operator") return true;
  return responders.reasons.includes(reason) && minutes !== undefined && minutes <= responders.mostMinutes;
}

/** Pauses behind the login. Each is written to the audit log with the account that asked; both roles may end one, for that only watches more. */
export function addPauseRoutes(
  api: FastifyInstance,
  dwellings: Pick<Dwellings, "pause" | "endPause" | "pauses">,
): void {
  api.get("/pauses", () => dwellings.pauses());

  api.post("/pauses", { bodyLimit: 4096 }, async (request, reply) => {
    const asked = readBody(PauseRequest, request.body);
    const { user } = request.consoleSession!;
    if (!mayPause(user, asked)) {
      const detail = `A responder pauses for ${responders.reasons.join(", ")} and ${responders.mostMinutes} minutes at most; ask an operator`;
      return sendProblem(reply, 403, "not-allowed", detail);
    }
    const { key, unit, ...pause } = asked;
    return refused(reply, () => dwellings.pause({ key, unit }, { ...pause, by: user.name }));
  });

  api.post("/pauses/end", { bodyLimit: 4096 }, async (request, reply) => {
    const { key, unit } = readBody(EndRequest, request.body);
    const { user } = request.consoleSession!;
    return refused(reply, async () => ({ ended: await dwellings.endPause({ key, unit }, user.name) }));
  });
}

/** What the register refuses is told with its mend. */
async function refused<T>(reply: Parameters<typeof sendProblem>[0], work: () => Promise<T>) {
  try {
    return await work();
  } catch (error) {
    if (error instanceof Error && !("code" in error)) return sendProblem(reply, 422, "refused", error.message);
    throw error;
  }
}
