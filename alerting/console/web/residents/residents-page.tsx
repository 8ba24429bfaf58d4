import type { PageProps } from "../pages.ts";
import { DwellingPage } from "./dwelling-page.tsx";
import { RegisterPage } from "./register-page.tsx";
import "./residents.css";

/** The register, or the page of one dwelling: `#/residents/KEY/UNIT`. */
export default function ResidentsPage({ user, rest }: PageProps) {
  const [key, unit] = rest;
  if (!key) return <RegisterPage user={user} />;
  const dwelling = { key, unit: unit === undefined ? undefined : unit || null };
  return <DwellingPage key={`${key}/${unit}`} user={user} dwelling={dwelling} />;
}
