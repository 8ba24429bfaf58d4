import "./devices.css";
import { useWords } from "../language.ts";
import type { PageProps } from "../pages.ts";
import { hrefOf } from "../route.ts";
import { DeviceList, filterOf } from "./device-list.tsx";
import { DevicePage } from "./device-page.tsx";
import { GatewayList } from "./gateway-list.tsx";
import { NewDevice } from "./new-device.tsx";
import { TestPage } from "./test-page.tsx";

/** `#/devices`, `#/devices/-/trouble` (a filter), `#/devices/-/gateways`, `#/devices/-/new`; `#/devices/ID` and `#/devices/ID/test`. No id is a hyphen. */
export default function DevicesPage({ user, rest }: PageProps) {
  const words = useWords();
  const [first, second] = rest;
  if (first !== undefined && first !== "-" && first !== "") {
    return second === "test" ? (
      <TestPage key={first} id={first} user={user} />
    ) : (
      <DevicePage key={first} id={first} user={user} />
    );
  }
  const mayChange = user.permissions.includes("devices.write");
  if (second === "new" && mayChange) return <NewDevice />;
  const isGateways = second === "gateways";
  return (
    <section aria-labelledby="devices-title">
      <div class="devices-head">
        <h1 id="devices-title">{words.say(isGateways ? "devices.gateways" : "devices.title")}</h1>
        <nav class="devices-views" aria-label={words.say("devices.views")}>
          <a class="button" href={hrefOf("devices")} aria-current={isGateways ? undefined : "true"}>
            {words.say("devices.title")}
          </a>
          <a class="button" href={hrefOf("devices", "-", "gateways")} aria-current={isGateways ? "true" : undefined}>
            {words.say("devices.gateways")}
          </a>
        </nav>
        {mayChange && !isGateways && (
          <a class="button primary" href={hrefOf("devices", "-", "new")}>
            {words.say("devices.add")}
          </a>
        )}
      </div>
      {isGateways ? <GatewayList /> : <DeviceList filter={filterOf(second)} />}
    </section>
  );
}
