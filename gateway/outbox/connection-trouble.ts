import { isIP } from "node:net";

export interface Trouble {
  code: string | undefined;
  message: string;
  /** Where the connection goes, as in `gateway.intake.url`. */
  host: string;
  /** Whether a certificate of this gateway's was shown, or would have been. */
  showsCertificate: boolean;
  /** Whether the connection was there already, its handshake done. */
  wasConnected: boolean;
}

const unknownAuthority = new Set([
  "SELF_SIGNED_CERT_IN_CHAIN",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_SIGNATURE_FAILURE",
]);

/** What is wrong with a connection to alerting, and the mend, from OpenSSL's and the system's codes. */
export function explain({ code = "", message, host, showsCertificate, wasConnected }: Trouble): string {
  if (code === "CERT_HAS_EXPIRED") {
    return "its certificate has ended; renew it there (fallvakt init --certificates-only), and see that this machine's clock is right";
  }
  if (code === "CERT_NOT_YET_VALID") return "its certificate is not valid yet; is this machine's clock right?";
  if (code === "ERR_TLS_CERT_ALTNAME_INVALID") {
    const what = isIP(host) ? "address" : "name";
    return `its certificate does not hold the ${what} ${host}; write gateway.intake.url as the certificate says, or make one there with fallvakt init --certificates-only --host ${host}`;
  }
  if (unknownAuthority.has(code)) {
    return `its certificate is of an authority that this gateway does not know (${code}); gateway.intake.caFile must be the ca.pem of that fallvakt init`;
  }
  if (code === "INVALID_PURPOSE")
    return "its certificate is not for servers; alerting must show the one of fallvakt init";
  // OpenSSL's own word stands in the code or, of what went wrong while writing, in the message.
  const word = `${code} ${message}`.toUpperCase().replaceAll("_", " ");
  if (/WRONG VERSION NUMBER|PACKET LENGTH TOO LONG/.test(word)) {
    return "no TLS is spoken there; is the port in gateway.intake.url the right one, and alerting.intake.tls or alerting.http.tls set?";
  }
  if (/ALERT (CERTIFICATE REQUIRED|HANDSHAKE FAILURE|BAD CERTIFICATE|UNKNOWN CA|CERTIFICATE EXPIRED)/.test(word)) {
    return showsCertificate
      ? `this gateway's certificate was refused (${code}); make one with fallvakt gateway certificate`
      : "it asks for a certificate; set gateway.intake.certFile (fallvakt gateway certificate), or give the web server's port in gateway.intake.url";
  }
  if (showsCertificate && wasConnected && code === "ECONNRESET") {
    return "it closed the connection, as it does where this gateway's certificate has ended or is not of the authority in alerting.intake.tls.caFile; its log says why";
  }
  // What Node says of a name with two addresses has no message.
  return message || code || "no connection";
}
