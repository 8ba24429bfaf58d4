import { writeFileSync } from "node:fs";
import type { z } from "zod";
import { Config } from "./config.ts";
import { documentedKeys } from "./settings-file.ts";

/** The page that describes every key of the configuration. */
export function configurationPage(schema: z.ZodType): string {
  const rows = documentedKeys(schema).map(
    (row) => `| \`${row.key}\` | ${row.type} | ${row.default} | ${row.description} |`,
  );
  return `# Configuration

One YAML file, \`fallvakt.yaml\` unless \`--config\` names another; \`fallvakt init\` writes one and \`fallvakt check\` reads it through.
Instead of any text you may write \`{ env: NAME }\` (from the environment) or \`{ file: PATH }\` (from a file, relative to this one): use that for secrets.

| key | type | default | what it is |
|---|---|---|---|
${rows.join("\n")}

This page is made from the schemas: \`node front-door/configuration-page.ts\` writes it again, and a test compares.
`;
}

if (import.meta.main) writeFileSync(new URL("../docs/configuration.md", import.meta.url), configurationPage(Config));
