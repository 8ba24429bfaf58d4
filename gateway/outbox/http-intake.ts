import type { Clock } from "../../firmware-contracts/clock.ts";
import { Control, type Intake } from "../../firmware-contracts/intake.ts";
import { RefusedItem } from "./refused-item.ts";

/** Alerting's answers, longest first use is a registry of some thousand devices at about 150 bytes each. */
const maxAnswerBytes = 16 * 2 ** 20;

export interface HttpIntakeOptions {
  /** `https://host:port` of alerting, with or without a trailing slash. */
  url: string;
  token: string;
  clock: Clock;
  /** Seconds of the clock after which a call has failed. */
  timeoutSeconds: number;
}

/**
 * Alerting's door over HTTP: `POST {url}/intake/v1/items` with one IntakeItem, answered 2xx once it is committed; `GET {url}/intake/v1/control?have=N`,
 * answered 200 with a Control or 204 where N is the newest. Both with `Authorization: Bearer {token}`. Every other answer, and none, is a rejection;
 * 400, 413 and 422 are a RefusedItem.
 */
export function createHttpIntake(options: HttpIntakeOptions): Intake {
  const base = options.url.replace(/\/+$/, "");
  const authorization = `Bearer ${options.token}`;

  async function call(path: string, init: RequestInit): Promise<{ status: number; text: string }> {
    const abort = new AbortController();
    const callOff = options.clock.after(options.timeoutSeconds * 1000, () => abort.abort());
    try {
      const response = await fetch(`${base}${path}`, { ...init, signal: abort.signal, redirect: "error" });
      const length = Number(response.headers.get("content-length") ?? 0);
      if (length > maxAnswerBytes) throw new Error(`an answer of ${length} bytes`);
      const text = await response.text();
      if (response.status === 400 || response.status === 413 || response.status === 422) {
        throw new RefusedItem(`answered ${response.status}: are both of one version?`);
      }
      if (!response.ok) throw new Error(hint(response.status));
      return { status: response.status, text };
    } catch (error) {
      const cause = abort.signal.aborted ? `no answer within ${options.timeoutSeconds} s` : reasonOf(error);
      const problem = `Alerting at ${base}${path.split("?")[0]}: ${cause}`;
      throw error instanceof RefusedItem ? new RefusedItem(problem) : new Error(problem);
    } finally {
      callOff();
    }
  }

  return {
    async submit(item) {
      await call("/intake/v1/items", {
        method: "POST",
        headers: { authorization, "content-type": "application/json" },
        body: JSON.stringify(item),
      });
    },
    async control(haveVersion, { gatewayId, everyMs }) {
      const query = new URLSearchParams({ have: String(haveVersion), gateway: gatewayId, everyMs: String(everyMs) });
      const { status, text } = await call(`/intake/v1/control?${query}`, { headers: { authorization } });
      if (status === 204 || text === "" || text === "null") return null;
      const parsed = Control.safeParse(JSON.parse(text));
      if (!parsed.success) {
        throw new Error(`Alerting at ${base} gave a registry that this gateway cannot read; are both of one version?`);
      }
      return parsed.data;
    },
  };
}

function hint(status: number): string {
  if (status === 401 || status === 403)
    return `refused (${status}): gateway.intake.token must be alerting.intake.token`;
  if (status === 404) return "404: is gateway.intake.url alerting's address?";
  return `answered ${status}`;
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause;
  return cause instanceof Error && cause.message ? cause.message : error.message;
}
