import { AccountRefused } from "../../registry/users.ts";
import { notFound, Refusal } from "../problems.ts";

const statusOf: Record<AccountRefused["why"], number> = {
  "no-account": 404,
  "name-taken": 409,
  "shut-off": 409,
  "weak-password": 422,
  "invalid-account": 422,
  "scope-not-held": 403,
};

/** Codes of the problems that an account may be refused with. */
export const accountProblems = Object.keys(statusOf).filter((why) => why !== "no-account");

/** Does `work`; an account that cannot be as it is asked for is told as a problem with a code of its own. */
export async function refusingAccounts<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AccountRefused)) throw error;
    if (error.why === "no-account") throw notFound("account");
    throw new Refusal(statusOf[error.why], error.why, error.message);
  }
}
