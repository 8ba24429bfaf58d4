/** What a certificate of ours lets its holder be. */
export type CertificateHolder = { kind: "device" | "gateway"; id: string };

const ours = "urn:fallvakt:";
const form = /^URI:urn:fallvakt:(device|gateway):([a-z0-9][a-z0-9-]{2,31})$/;

/** How a certificate says it: this URI among its alternative names, beside the id as its common name. */
export function certificateUri({ kind, id }: CertificateHolder): string {
  return `${ours}${kind}:${id}`;
}

/** The parts of a certificate that name somebody, as `getPeerCertificate()` and `toLegacyObject()` give them. */
export interface CertificateNames {
  subject?: { CN?: string | string[] | undefined };
  subjectaltname?: string | undefined;
}

/**
 * Whose a certificate is, or null where it is nobody's; that it is valid and of our authority was found out before. A gateway's always says so in a
 * URI; one without such a URI is a device's by its common name, as other authorities make them. So no certificate is both, and each door asks for its
 * own kind.
 */
export function holderOf({ subject, subjectaltname = "" }: CertificateNames): CertificateHolder | null {
  const id = subject?.CN;
  // Node puts a name in quotes where it holds what could be taken for another name.
  if (typeof id !== "string" || subjectaltname.includes('"')) return null;
  const marks = subjectaltname.split(", ").filter((name) => name.toLowerCase().startsWith(`uri:${ours}`));
  if (marks.length === 0) return { kind: "device", id };
  const [, kind, named] = form.exec(marks[0] ?? "") ?? [];
  return marks.length === 1 && named === id ? { kind: kind as CertificateHolder["kind"], id } : null;
}
