// Run as a child process: exits with 0 where the native backend answers the golden windows rightly.
import { useNative } from "./backend.ts";
import { readModel } from "./card.ts";
import { checkGolden } from "./network.ts";
import { openTensorFlow } from "./tensorflow.ts";

try {
  await useNative();
  const files = await readModel();
  checkGolden(await openTensorFlow(files), files);
  process.exit(0);
} catch (error) {
  process.stderr.write(`${(error instanceof Error ? error.message : String(error)).split("\n")[0]}\n`);
  process.exit(1);
}
