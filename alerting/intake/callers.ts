import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { TLSSocket } from "node:tls";
import { holderOf } from "../../firmware-contracts/certificate-name.ts";
import type { Clock } from "../../firmware-contracts/clock.ts";

/** Somebody who may come in at the intake. */
export interface Caller {
  ok: true;
  /** The gateway that a certificate names, which it may not leave; null for whoever has the token. */
  gatewayId: string | null;
}

export interface Refusal {
  ok: false;
  status: 401 | 403;
  /** What it is counted under, from a fixed list. */
  counter: string;
  problem: string;
  mend: string;
}

/** Says who is asking. */
export type WhoIsIt = (request: IncomingMessage) => Caller | Refusal;

/** Lets in who has the token, for any gateway. */
export function byToken(token: string): WhoIsIt {
  const digest = (text: string) => createHash("sha256").update(text).digest();
  const expected = digest(`Bearer ${token}`);
  const mend = "give the token of alerting.intake.token as a bearer";
  return (request) =>
    timingSafeEqual(digest(request.headers.authorization ?? ""), expected)
      ? { ok: true, gatewayId: null }
      : { ok: false, status: 401, counter: "intake.bad-token", problem: "unauthorised", mend };
}

/**
 * Lets in gateways by their certificate, of which the handshake found that it is of our authority, but those in `revoked`. It is looked at with each
 * request whether it has ended meanwhile: a connection may be open for months.
 */
export function byCertificate(clock: Clock, revoked: readonly string[]): WhoIsIt {
  const seen = new WeakMap<object, { gatewayId: string | null; notAfter: number }>();
  const mend = "show a certificate that `fallvakt gateway certificate ID` made";
  return ({ socket }) => {
    if (!(socket instanceof TLSSocket) || !socket.authorized) {
      return { ok: false, status: 403, counter: "intake.refused.no-certificate", problem: "no-certificate", mend };
    }
    let known = seen.get(socket);
    if (!known) {
      const certificate = socket.getPeerCertificate();
      const holder = holderOf(certificate);
      const gatewayId = holder?.kind === "gateway" ? holder.id : null;
      known = { gatewayId, notAfter: Date.parse(certificate.valid_to) };
      seen.set(socket, known);
    }
    const { gatewayId, notAfter } = known;
    if (gatewayId === null) {
      return { ok: false, status: 403, counter: "intake.refused.not-a-gateway", problem: "not-a-gateway", mend };
    }
    if (revoked.includes(gatewayId)) {
      return { ok: false, status: 403, counter: "intake.refused.revoked", problem: "revoked", mend };
    }
    if (!(clock.wallNow() <= notAfter)) {
      return { ok: false, status: 403, counter: "intake.refused.ended", problem: "ended", mend };
    }
    return { ok: true, gatewayId };
  };
}
