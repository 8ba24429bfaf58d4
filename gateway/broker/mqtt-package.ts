import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** The mqtt package, loaded where it is first used: a gateway with its own broker alone does without the memory it takes. */
export const mqttPackage = () => require("mqtt") as typeof import("mqtt");
