import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from "node:http";
import { Agent as HttpsAgent, request as requestHttps } from "node:https";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { CredentialFiles } from "../../firmware-contracts/credential-files.ts";
import { Control, type Intake } from "../../firmware-contracts/intake.ts";
import { Away } from "./away.ts";
import { explain } from "./connection-trouble.ts";
import { RefusedItem } from "./refused-item.ts";

/** Alerting's answers, longest first use is a registry of some thousand devices at about 150 bytes each. */
const maxAnswerBytes = 16 * 2 ** 20;

export interface HttpIntakeOptions {
  /** `https://host:port` of alerting, with or without a trailing slash. */
  url: string;
  /** Shown as a bearer, where the gateway has no certificate. */
  token?: string | undefined;
  /** The gateway's certificate and key, and the authority it trusts; left out: the public authorities. A renewed one is used from the next connection on. */
  credential?: CredentialFiles | undefined;
  clock: Clock;
  /** Seconds of the clock after which a call has failed. */
  timeoutSeconds: number;
}

/** An Intake at the other end of a network. */
export interface HttpIntake extends Intake {
  /** Rejects, with what is wrong and the mend, where this gateway is not let in. Nothing is handed in, and no heartbeat told. */
  reach(): Promise<void>;
  /** Closes its connections. */
  close(): void;
}

interface Call {
  path: string;
  method: "GET" | "POST";
  body?: string;
}

interface Answer {
  status: number;
  text: string;
}

/**
 * Alerting's door over HTTP or HTTPS: `POST {url}/intake/v1/items` with one IntakeItem, answered 2xx once it is committed;
 * `GET {url}/intake/v1/control?have=N`, answered 200 with a Control or 204 where N is the newest. Every other answer, and none, is a rejection;
 * 400, 413 and 422 are a RefusedItem, and what says nothing of the item is an Away.
 */
export function createHttpIntake(options: HttpIntakeOptions): HttpIntake {
  const base = options.url.replace(/\/+$/, "");
  const { clock, token, credential, timeoutSeconds } = options;
  const { hostname, protocol } = new URL(base);
  const host = hostname.replace(/^\[|\]$/g, "");
  const isSecure = protocol === "https:";
  const showsCertificate = credential?.current.cert !== undefined;
  let agent = newAgent();
  credential?.onChange(() => {
    const older = agent;
    agent = newAgent();
    // What is under way is answered; then the connection ends.
    older.maxFreeSockets = 0;
    for (const sockets of Object.values(older.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
  });

  function newAgent(): HttpAgent {
    if (!isSecure) return new HttpAgent({ keepAlive: true });
    return new HttpsAgent({ keepAlive: true, minVersion: "TLSv1.2", ...credential?.current });
  }

  /** One request and its whole answer. */
  function ask({ path, method, body }: Call, isSecondTry = false): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const headers = {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(body === undefined
          ? {}
          : { "content-type": "application/json", "content-length": String(Buffer.byteLength(body)) }),
      };
      const send = isSecure ? requestHttps : requestHttp;
      const request = send(`${base}${path}`, { method, headers, agent });
      let answered = false;
      let isOver = false;
      /** The other end was reached, its handshake done: what goes wrong from here on may be the item's fault. */
      let isConnected = false;
      request.on("socket", (socket) => {
        if (request.reusedSocket) isConnected = true;
        else socket.once(isSecure ? "secureConnect" : "connect", () => (isConnected = true));
      });
      const callOff = clock.after(timeoutSeconds * 1000, () => {
        const late = `no answer within ${timeoutSeconds} s`;
        end(() => reject(isConnected ? new Error(late) : new Away(late)));
        request.destroy();
      });
      function end(settle: () => void): void {
        isOver = true;
        callOff();
        settle();
      }
      request.on("error", (error: NodeJS.ErrnoException) => {
        // Ours, of what was given up.
        if (isOver) return;
        // A kept connection that alerting closed just as it was used again: the same request on a new one.
        const isStale = request.reusedSocket && error.code === "ECONNRESET" && !answered && !isSecondTry;
        if (isStale) return end(() => resolve(ask({ path, method, body }, true)));
        const { code, message } = error;
        const problem = explain({ code, message, host, showsCertificate, wasConnected: isConnected });
        end(() => reject(isConnected ? new Error(problem) : new Away(problem)));
      });
      request.on("response", (response) => {
        answered = true;
        textOf(response).then(
          (text) => end(() => resolve({ status: response.statusCode ?? 0, text })),
          (error) => {
            end(() => reject(error));
            request.destroy();
          },
        );
      });
      request.end(body);
    });
  }

  async function call(what: Call): Promise<Answer> {
    try {
      const answer = await ask(what);
      const { status } = answer;
      if (status >= 200 && status < 300) return answer;
      if (status === 400 || status === 413 || status === 422) {
        throw new RefusedItem(`answered ${status}: are both of one version?`);
      }
      throw saysNothingOfTheItem.has(status) ? new Away(hint(status)) : new Error(hint(status));
    } catch (error) {
      const problem = `Alerting at ${base}${what.path.split("?")[0]}: ${error instanceof Error ? error.message : error}`;
      if (error instanceof RefusedItem) throw new RefusedItem(problem);
      throw error instanceof Away ? new Away(problem) : new Error(problem);
    }
  }

  function hint(status: number): string {
    if (status === 401) return `refused (${status}): gateway.intake.token must be alerting.intake.token`;
    if (status === 403 && showsCertificate) {
      return `refused (${status}): gateway.intake.certFile must be of this gateway's id and not have ended; fallvakt gateway certificate makes it`;
    }
    if (status === 403) return `refused (${status}): gateway.intake.token must be alerting.intake.token`;
    if (status === 404) return "404: is gateway.intake.url alerting's address?";
    return `answered ${status}`;
  }

  return {
    async submit(item) {
      await call({ path: "/intake/v1/items", method: "POST", body: JSON.stringify(item) });
    },
    async control(haveVersion, { gatewayId, everyMs, version, at }) {
      const query = new URLSearchParams({ have: String(haveVersion), gateway: gatewayId, everyMs: String(everyMs) });
      if (version !== undefined) query.set("version", version);
      if (at !== undefined) query.set("at", String(at));
      const { status, text } = await call({ path: `/intake/v1/control?${query}`, method: "GET" });
      if (status === 204 || text === "" || text === "null") return null;
      const parsed = Control.safeParse(JSON.parse(text));
      if (!parsed.success) {
        throw new Error(`Alerting at ${base} gave a registry that this gateway cannot read; are both of one version?`);
      }
      return parsed.data;
    },
    async reach() {
      // Without its query this is refused, but only after the door has let us in.
      await call({ path: "/intake/v1/control", method: "GET" }).catch((error: unknown) => {
        if (!(error instanceof RefusedItem)) throw error;
      });
    },
    close: () => agent.destroy(),
  };
}

/** Answers of a door or of a proxy, that each item would get. */
const saysNothingOfTheItem = new Set([401, 403, 404, 502, 504]);

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > maxAnswerBytes) throw new Error(`an answer of more than ${maxAnswerBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}
