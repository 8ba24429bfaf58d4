import type { Page } from "playwright-core";
import { encode } from "uqr";
import { beforeEach, describe, expect, test } from "vitest";
import { verifySecret } from "../../firmware-contracts/secret.ts";
import { lacks } from "../services/needs.ts";
import { installer, type NightShift, operator, otherPatrol, patrol } from "./night-shift.ts";
import { useStage } from "./stage.ts";

/** The modules of a code as it is drawn: one bar for each run of dark ones in a row. */
async function modulesOf(page: Page): Promise<boolean[][]> {
  const svg = page.locator("svg.devices-qr");
  const size = Number((await svg.getAttribute("viewBox"))?.split(" ")[2]);
  const path = (await svg.locator("path").getAttribute("d")) ?? "";
  const modules = Array.from({ length: size }, () => Array<boolean>(size).fill(false));
  for (const [, x, y, length] of path.matchAll(/M(\d+) (\d+)h(\d+)/g)) {
    modules[Number(y)]?.fill(true, Number(x), Number(x) + Number(length));
  }
  return modules;
}

describe.skipIf(lacks("chromium"))("devices and gateways in a browser (needs chromium)", () => {
  const stage = useStage({}, { technical: { gatherSeconds: 1, digestMinutes: 0 } });
  let page: Page;
  let shift: NightShift;
  beforeEach(() => {
    ({ page, shift } = stage);
  });

  const textOf = async () => (await page.locator("main").textContent()) ?? "";
  const heading = (name: string | RegExp) => page.getByRole("heading", { name }).waitFor();
  const device = async (id: string) => (await shift.alerting().registry.list()).find((one) => one.deviceId === id);

  /** Adds a watch in the dwelling with key 91, by way of the page. Returns the secret that was shown. */
  async function add(id: string): Promise<string> {
    await page.getByRole("link", { name: "Lägg till sensor" }).click();
    await page.getByLabel("Sensorns namn").fill(id);
    await page.getByLabel("Nyckelnummer", { exact: true }).fill("91");
    await page.getByLabel("Enhet").fill("Gustavsberg");
    await page.getByLabel("Adress som sensorn ansluter till").fill("mqtts://larm.example.se:8883");
    await page.getByRole("button", { name: "Lägg till" }).click();
    await heading(`${id} är tillagd`);
    return (await page.locator(".devices-credentials dd").nth(1).textContent()) ?? "";
  }

  test("an installer adds a watch: its secret and code are shown once, and a test alarm answered with the key number puts it into operation", async () => {
    await stage.logIn(installer);
    await heading("Sensorer");
    const secret = await add("klocka-a17");
    const note = { v: 1, broker: "mqtts://larm.example.se:8883", id: "klocka-a17", secret };
    expect(await modulesOf(page)).toEqual(encode(JSON.stringify(note), { ecc: "M", border: 4 }).data);
    const control = await shift.alerting().intake.control(-1, { gatewayId: "gateway-1", everyMs: 60_000 });
    const hash = control?.devices.find(({ deviceId }) => deviceId === "klocka-a17")?.secretHash ?? "";
    expect(await verifySecret(secret, hash)).toBe(true);
    expect(await page.content()).toContain(secret);

    await page.getByRole("link", { name: "Klar, visa sensorn" }).click();
    await page.getByText("VÄNTAR PÅ PROV", { exact: true }).waitFor();
    expect(await page.content()).not.toContain(secret);
    await page.goBack();
    await heading("Lägg till sensor");
    expect(await page.content()).not.toContain(secret);
    await page.goto(`${shift.url}/#/devices/klocka-a17`);

    await page.getByRole("link", { name: "Prova larmet" }).click();
    await page.getByLabel("Patrull 2 (i tjänst nu)").check();
    await page.getByRole("button", { name: "Börja provet" }).click();
    const step = page.locator("[aria-current=step]");
    await step.getByText("Tryck på larmknappen på sensorn").waitFor();
    expect(await textOf()).not.toContain("91");

    const press = { deviceId: "klocka-a17", kind: "help", impactAt: shift.clock.wallNow() } as const;
    await shift.fall("91", press);
    await page.getByText(/Larmet kom \d\d:\d\d \(larmknappen\)/).waitFor();
    await step.getByText("Svara på sms:et med koden och numret på nyckeln").waitFor();
    await page.getByText("Sms till Patrull 2: sms levererat").waitFor();
    // Neither this page nor the board tells whoever answers what is asked.
    expect(await textOf()).not.toContain("91");
    const shown = shift
      .alerting()
      .backend.board()
      .find(({ kind }) => kind === "test");
    expect(shown?.alias).toBe("klocka-a17");
    await page.goto(`${shift.url}/#/devices/klocka-a17`);
    await page.locator(".badge", { hasText: "PROV PÅGÅR" }).waitFor();
    expect(await textOf()).not.toContain("91");
    await page.getByRole("link", { name: "Följ provet" }).click();
    await step.waitFor();

    const asked = shift.patrol.inbox.find(({ body }) => body.startsWith("PROVLARM"))?.body ?? "";
    const code = /T\d{3}/.exec(asked)?.[0];
    expect(asked).not.toContain("91");
    await shift.patrol.reply(`${code} 38`);
    await page.getByText(/Fel nyckelnummer\. Inget har ändrats\./).waitFor();
    expect((await device("klocka-a17"))?.operation.state).toBe("awaiting-test");
    await shift.patrol.reply(`${code} 91`);
    await page.locator("li", { hasText: "Rätt nyckelnummer: klocka-a17 är i drift" }).waitFor();
    expect((await device("klocka-a17"))?.operation).toMatchObject({ state: "in-operation", how: "test-alarm" });
    await page.getByRole("link", { name: "klocka-a17" }).click();
    await page.getByText(/I drift sedan .*provad med nyckelnumret, Patrull 2/).waitFor();

    await page.getByRole("button", { name: "Ta till förråd" }).click();
    await page.getByRole("dialog").getByText("Sensorn larmar inte längre till bostaden.").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Ta till förråd" }).click();
    await page.locator(".badge", { hasText: "I FÖRRÅD" }).waitFor();
    await page.getByRole("button", { name: "Spärra" }).click();
    const dialog = page.getByRole("dialog", { name: "Spärra klocka-a17" });
    await dialog.getByLabel("Skriv sensorns namn").fill("klocka-a18");
    await dialog.getByRole("button", { name: "Spärra" }).click();
    await dialog.getByText("Det är inte sensorns namn.").waitFor();
    await dialog.getByLabel("Skriv sensorns namn").fill("klocka-a17");
    await dialog.getByRole("button", { name: "Spärra" }).click();
    await page.locator(".badge", { hasText: "SPÄRRAD" }).waitFor();
    expect(await device("klocka-a17")).toMatchObject({ revoked: true, key: "" });
  });

  test("a test that is called off, and one whose alarm was heard, are told as what they became; a new secret replaces the old", async () => {
    await stage.logIn(installer);
    const first = await add("klocka-b2");
    await page.goto(`${shift.url}/#/devices/klocka-b2`);
    await page.getByRole("button", { name: "Ny hemlighet" }).click();
    const dialog = page.getByRole("dialog", { name: "Ny hemlighet för klocka-b2" });
    await dialog.getByText("Den gamla gäller tills den nya har använts").waitFor();
    await dialog.getByRole("button", { name: "Ny hemlighet" }).click();
    await heading("Ny hemlighet för klocka-b2");
    // Nobody has said how devices reach the broker.
    await page.getByText("Ingen QR-kod").waitFor();
    const second = (await page.locator(".devices-credentials dd").nth(1).textContent()) ?? "";
    expect(second).not.toBe(first);
    await page.goto(`${shift.url}/#/devices/klocka-b2/test`);
    await page.getByRole("button", { name: "Börja provet" }).click();
    await page.getByText(/1[45]:\d\d kvar/).waitFor();
    const stop = () => page.getByRole("button", { name: "Avbryt provet" });
    await stop().click();
    await page.getByRole("dialog").getByText("Nästa larm från sensorn är då inget prov").waitFor();
    await page.keyboard.press("Escape");
    await shift.fall("91", { deviceId: "klocka-b2", kind: "help", impactAt: shift.clock.wallNow() });
    await page.getByText(/Larmet kom/).waitFor();
    await stop().click();
    await page.getByRole("dialog").getByText("går det till larmoperatören som ett riktigt larm").waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Avbryt provet" }).click();
    await page.getByText("Provet avbröts").waitFor();
    await page.getByRole("button", { name: "Börja om" }).waitFor();
    await expect.poll(() => shift.episode("91")).toMatchObject({ kind: "help", status: "open" });
  });

  test("a lost gateway and a watch that is not heard stand below the alarms, quietly; a unit sees its own, and the visiting list is there to print", async () => {
    const { intake } = shift.alerting();
    await intake.control(-1, { gatewayId: "trapphus-3", everyMs: 100 });
    const seen = { v: 1, event: "online", gatewayId: "trapphus-3", at: Math.round(shift.clock.wallNow()) } as const;
    await intake.submit({ type: "device-event", event: { ...seen, id: "seen-38", deviceId: "watch-38" } });
    const since = Math.round(shift.clock.wallNow()) - 1_800_000;
    await intake.submit({
      type: "supervision-event",
      event: {
        ...{ v: 1, id: `watch-57.overdue.${since}.began`, deviceId: "watch-57", deviceClass: "wearable" },
        ...{ at: Math.round(shift.clock.wallNow()), event: "began", trouble: "overdue", since },
      },
    });
    await stage.logIn(patrol);
    const troubles = page.getByRole("region", { name: /Sensorer och lokalenheter med fel/ });
    await troubles.getByText(/Lokalenhet trapphus-3 har tystnat, sedan \d\d:\d\d/).waitFor({ timeout: 15_000 });
    const text = (await troubles.textContent()) ?? "";
    for (const part of ["1 bostad hörs inte.", "Nyckel 57", "watch-57", "Ingen kontakt sedan", "FALL LARMAS INTE"]) {
      expect(text).toContain(part);
    }
    // It stands behind its gateway, and a technical alarm leads to what is done about it.
    expect(text).not.toContain("watch-38");
    await troubles
      .getByRole("link", { name: /Kod T\d{3}/ })
      .first()
      .waitFor();
    expect(await page.title()).not.toMatch(/EJ TAGET/);

    await troubles.getByRole("link", { name: "Besökslista" }).click();
    await heading("Besökslista");
    const rows = page.locator("tbody tr");
    await rows.first().waitFor();
    expect(await rows.locator("th").allTextContents()).toContain("38");
    await page.emulateMedia({ media: "print" });
    expect(await page.getByRole("navigation").isVisible()).toBe(false);
    expect(await page.getByRole("columnheader", { name: "Besökt kl., av" }).isVisible()).toBe(true);
    await page.emulateMedia({ media: "screen" });

    await page.getByRole("button", { name: "Logga ut" }).click();
    await stage.logIn(otherPatrol);
    await troubles.getByText("Inga av dina bostäder hörs genom den.").waitFor();
    expect(await troubles.textContent()).not.toMatch(/Nyckel 57|watch-57/);
  });

  test("a responder looks and adds nothing; another unit's device is not there by its address; a watch is found among many", async () => {
    await shift.alerting().registry.addDevices(
      Array.from({ length: 120 }, (_, i) => ({
        ...{ deviceId: `belt-${i}`, placement: "waist" as const, key: `B${i}`, unit: "Gustavsberg", area: "Ösby" },
      })),
      { allowSimilarAliases: true },
    );
    await stage.logIn(patrol, "devices");
    await page.getByText("1–100 av 123").waitFor();
    expect(await page.getByRole("link", { name: "Lägg till sensor" }).count()).toBe(0);
    await page.getByRole("button", { name: "Nästa" }).click();
    await page.getByText("101–123 av 123").waitFor();
    await page.getByRole("link", { name: /Väntar på prov 120/ }).click();
    await page.getByText("1–100 av 120").waitFor();
    await page.getByLabel("Sök").fill("b117 ösby");
    await page.getByText("1 sensor", { exact: true }).waitFor();
    await page.getByRole("link", { name: /Nyckel B117/ }).click();
    await page.getByText("Om sensorn").waitFor();
    expect(
      await page
        .getByRole("button")
        .filter({ hasText: /Flytta|Spärra|hemlighet/ })
        .count(),
    ).toBe(0);
    await page.goto(`${shift.url}/#/devices/-/new`);
    await page.getByText("1–100 av 123").waitFor();
    expect(await page.getByLabel("Sensorns namn").count()).toBe(0);
    const refused = await page.evaluate(async () => {
      const headers = { "content-type": "application/json", "x-fallvakt-console": "1" };
      const body = JSON.stringify({ deviceId: "klocka-x", placement: "wrist", key: "91", unit: "Gustavsberg" });
      return (await fetch("/api/v1/devices", { method: "POST", headers, body })).status;
    });
    expect(refused).toBe(403);
    await page.goto(`${shift.url}/#/devices/belt-3/test`);
    await page.getByText("Ditt konto får inte börja ett prov.").waitFor();

    await page.getByRole("button", { name: "Logga ut" }).click();
    await stage.logIn(otherPatrol, "devices");
    await page.getByText("Inga sensorer", { exact: true }).waitFor();
    await page.goto(`${shift.url}/#/devices/watch-38`);
    await page.getByText("Det finns inte, eller hör till en annan enhet.").waitFor();
    await page.getByRole("button", { name: "Logga ut" }).click();
    await stage.logIn(operator, "devices/-/gateways");
    await page.getByText("Ingen lokalenhet har hörts ännu.").waitFor();
    const behind = Math.round(shift.clock.wallNow()) - 900_000;
    const asked = `have=0&gateway=trapphus-1&everyMs=60000&version=0.1.0&at=${behind}`;
    const headers = { authorization: `Bearer ${shift.config.intake.token}` };
    expect((await fetch(`${shift.url}/intake/v1/control?${asked}`, { headers })).status).toBe(200);
    await page.reload();
    await page.getByText("KLOCKAN GÅR EFTER med 15 min").waitFor();
    const row = (await page.locator(".devices-gateways").textContent()) ?? "";
    for (const part of ["trapphus-1", "Program 0.1.0", "FÖLJER INTE REGISTRET: har version 0"])
      expect(row).toContain(part);
  });
});
