import { randomInt } from "node:crypto";
import { createServer } from "node:net";

/** Below what Linux gives to outgoing connections (32768 and up, ip_local_port_range): none of those takes it before it is used. */
const [lowest, highest] = [20_000, 32_700];
const tries = 50;

/**
 * A TCP port of the loopback address that is free now, drawn at random: two who ask at the same time hardly get the same one.
 * @throws where none of 50 drawn ports can be listened on.
 */
export async function freePort(): Promise<number> {
  for (let n = 0; n < tries; n++) {
    const port = randomInt(lowest, highest);
    if (await isFree(port)) return port;
  }
  throw new Error(`none of ${tries} ports between ${lowest} and ${highest} on 127.0.0.1 is free`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
