import { systemClock } from "../../firmware-contracts/clock.ts";
import { startPhoneNetwork } from "../../simulators/phone-network/network.ts";
import { type Arrivals, type ProviderQuestion, tell } from "./messages.ts";

// The phone network as the SMS provider, in a process of its own, that answers each request after a while.
// Arguments: the account's sid, its token, its number, ms from request to answer.
const [accountSid = "", authToken = "", number = "", apiMs = ""] = process.argv.slice(2);
const network = await startPhoneNetwork({
  clock: systemClock(),
  accountSid,
  authToken,
  behaviour: { apiMs: Number(apiMs) },
  everyNumberHasAPhone: true,
});
network.addNumber(number);

/** A text to call somebody out names the sensor where it is in no register. */
function arrivals(): Arrivals {
  const first = new Map<string, number>();
  for (const { body, createdAt } of network.messages) {
    const deviceId = / sensor (bench-\d+)/.exec(body)?.[1];
    if (deviceId !== undefined && !first.has(deviceId)) first.set(deviceId, createdAt);
  }
  return [...first];
}

async function close(): Promise<void> {
  await network.close();
  process.exit(0);
}

process.on("disconnect", () => void close());
process.on("message", (question: ProviderQuestion) => {
  if (question === "close") void close();
  else tell(arrivals());
});
tell({ port: Number(new URL(network.url).port) });
