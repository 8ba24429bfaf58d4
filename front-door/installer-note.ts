import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { renderUnicodeCompact } from "uqr";
import { BrokerAddress, type InstallerNote, installerNoteText } from "../firmware-contracts/installer-note.ts";
import type { Config } from "./config.ts";

/**
 * Where devices find the broker, and whom they shall trust there, as the configuration says. `named`: its address, where a person gave it.
 * @throws with the mend where the address cannot be known.
 */
export function brokerOf(config: Config, named?: string): Pick<InstallerNote, "broker" | "ca"> {
  const { tls, host, port } = config.gateway.mqtt;
  if (named !== undefined && !BrokerAddress.safeParse(named).success) {
    throw new Error(`--broker ${named} is no address of a broker; write it as mqtts://larm.example.se:8883`);
  }
  const outside = config.gateway.outside;
  const caFile = outside ? outside.caFile : tls?.caFile;
  const ca = caFile === undefined ? {} : { ca: fingerprintIn(caFile) };
  if (named !== undefined) return named.startsWith("mqtts:") ? { broker: named, ...ca } : { broker: named };
  // Its address in the configuration is the one for gateways, which devices must not reach.
  if (outside)
    throw new Error("gateway.outside.url is for gateways: name the broker's address for devices with --broker");
  if (tls) return { broker: `mqtts://${reachable(tls.certFile)}:${tls.port}`, ...ca };
  const isOpen = host !== "127.0.0.1" && host !== "::1" && host !== "localhost";
  if (!isOpen)
    throw new Error("the broker listens on this machine alone: name it with --broker, or see gateway.mqtt.tls");
  return { broker: `mqtt://${host === "0.0.0.0" || host === "::" ? hostname() : host}:${port}` };
}

/** A note as a QR code of Unicode blocks, light on dark, for a terminal. */
export function installerQr(note: InstallerNote): string {
  return renderUnicodeCompact(installerNoteText(note), { ecc: "M", border: 2 });
}

/** The first host of the broker's certificate that is not this machine to itself. */
function reachable(certFile: string): string {
  const names = new X509Certificate(readFileSync(certFile)).subjectAltName ?? "";
  const hosts = names.split(", ").map((name) => name.replace(/^(DNS|IP Address):/, ""));
  const found = hosts.find((host) => host !== "" && !/^(localhost|127\.|0:0:0:0:0:0:0:1$|::1$)/.test(host));
  if (found === undefined) throw new Error(`${certFile} names no host that devices can reach: use --broker`);
  return found.includes(":") ? `[${found}]` : found;
}

function fingerprintIn(caFile: string): string {
  return new X509Certificate(readFileSync(caFile)).fingerprint256.replaceAll(":", "").toLowerCase();
}
