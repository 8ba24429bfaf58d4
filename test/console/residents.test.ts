import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import type { NewResident } from "../../alerting/registry/residents.ts";
import { createResidents } from "../../alerting/registry/residents.ts";
import { zoneOf } from "../../alerting/rota/local-time.ts";
import { masterKeySource } from "../../alerting/store/master-key-file.ts";
import { openSqliteStore } from "../../alerting/store/sqlite.ts";
import type { Store } from "../../alerting/store/store.ts";
import { lacks } from "../services/needs.ts";
import { auditor, manager, type NightShift, operator, otherPatrol, patrol } from "./night-shift.ts";
import { useStage } from "./stage.ts";

const asta: NewResident = {
  name: "Asta Ek",
  address: "Storgatan 1, port B, 2 tr",
  keyCode: "4711#",
  route: "Ring på hos grannen om porten är låst",
  contacts: [{ name: "Anna, dotter", phone: "+46701234567" }],
  flags: ["two-needed", "door-chain"],
  note: "Sover tungt",
};
const day = 86_400_000;

describe.skipIf(lacks("chromium"))("residents in a browser (needs chromium)", () => {
  const stage = useStage();
  let page: Page;
  let shift: NightShift;
  beforeEach(() => {
    ({ page, shift } = stage);
  });

  /** The store beside the service, as a command opens it. */
  async function beside<T>(use: (store: Store) => Promise<T>): Promise<T> {
    const store = openSqliteStore(shift.dataDir, masterKeySource(shift.config, shift.dataDir));
    try {
      return await use(store);
    } finally {
      await store.close();
    }
  }
  const settle = (key = "38", resident = asta) =>
    beside((store) => createResidents(() => store, shift.clock, "cli").add({ key }, resident, operator.name));
  const looks = () =>
    beside(async (store) =>
      (await store.audit.entries("acts", 0, 100)).flatMap(({ act }) => (act?.act === "resident-shown" ? [act] : [])),
    );
  const button = (name: string | RegExp, on = page) => on.getByRole("button", { name });
  const width = () => page.evaluate(() => document.documentElement.scrollWidth);

  test("from an alarm a responder opens the sheet with one tap, and calls; the look stands in the log, and it hides", async () => {
    await settle();
    await shift.fall("38");
    const asked: string[] = [];
    page.on("request", (request) => request.url().endsWith("/sheet") && asked.push(request.url()));
    await page.clock.install();
    await stage.logIn(patrol);
    const id = shift.episode("38")!.id;
    await page.goto(`${shift.url}/#/episodes/${id}`);
    await button("Visa uppgifterna").waitFor();
    expect(asked).toEqual([]);
    expect(await looks()).toEqual([]);
    await button("Visa uppgifterna").click();
    await page.getByRole("heading", { name: "Asta Ek" }).waitFor();
    expect(await looks()).toMatchObject([{ by: "Rut", via: "console", detail: { episode: id, onShift: false } }]);
    const sheet = page.getByRole("region", { name: "Uppgifter till dörren" });
    const text = (await sheet.textContent()) ?? "";
    for (const part of ["Två behövs", "Dörrkedja", "4711#", "Storgatan 1, port B, 2 tr", "Sover tungt"]) {
      expect(text).toContain(part);
    }
    const call = sheet.getByRole("link", { name: /Ring Anna, dotter/ });
    expect(await call.getAttribute("href")).toBe("tel:+46701234567");
    expect((await call.boundingBox())!.height).toBeGreaterThanOrEqual(44);
    expect(await page.title()).not.toContain("Asta");
    expect(page.url()).not.toContain("Asta");
    expect(await width()).toBe(360);
    // It hides itself where nobody does; then nothing of it is left in the page.
    await page.clock.fastForward("03:05");
    await button("Visa uppgifterna").waitFor();
    expect(await page.content()).not.toContain("Asta");
    await button("Visa uppgifterna").click();
    await page.getByRole("heading", { name: "Asta Ek" }).waitFor();
    await page.goto(`${shift.url}/#/residents`);
    await page.getByRole("heading", { name: "Boende", level: 1 }).waitFor();
    await page.goBack();
    await button("Visa uppgifterna").waitFor();
    expect(await page.content()).not.toContain("Asta");
    expect(asked).toHaveLength(2);
  });

  test("a responder of another unit gets at it neither by an address nor by the API; an auditor sees who looked, and at whom they did not", async () => {
    await settle();
    await stage.logIn(otherPatrol, "residents/38/Gustavsberg");
    await page.getByText(/Det finns inte, eller hör till en annan enhet/).waitFor();
    await page.goto(`${shift.url}/#/residents`);
    await page.getByText("Här finns inga bostäder än.").waitFor();
    const answers = await page.evaluate(async () => {
      const asked = ["38", "99"].map(async (key) => {
        const headers = { "x-fallvakt-console": "1", "content-type": "application/json" };
        const look = { method: "POST", headers, body: JSON.stringify({ unit: "Gustavsberg" }) };
        const answer = await fetch(`/api/v1/residents/${key}/sheet`, look);
        return [answer.status, await answer.text()];
      });
      return Promise.all(asked);
    });
    expect(answers[0]).toEqual(answers[1]);
    expect(answers[0]![0]).toBe(404);
    expect(await looks()).toEqual([]);
    await button("Logga ut").click();
    await stage.logIn(patrol, "residents/38");
    await button("Visa uppgifterna").click();
    await page.getByRole("heading", { name: "Asta Ek" }).waitFor();
    await button("Logga ut").click();
    await stage.logIn(auditor, "audit");
    await page.getByText("1 oförklarad, inga förklarade.").waitFor();
    const row = (await page.getByRole("row", { name: /Rut/ }).textContent()) ?? "";
    expect(row).toContain("38");
    expect(row).toContain("OFÖRKLARAD: inget larm, inget pass");
    expect(await page.getByRole("link", { name: "38", exact: true }).count()).toBe(0);
    await page.getByLabel("Nyckel").fill("57");
    await page.getByLabel("Nyckel").press("Enter");
    await page.getByText("Ingen har tittat.").waitFor();
    expect(await page.content()).not.toContain("Asta");
    expect(await width()).toBe(360);
  });

  test("one tap says that staff are in the dwelling; the pause counts down, is ended, and ends by itself", async () => {
    await stage.logIn(patrol, "residents/38");
    // Nothing was heard of its watch yet.
    await page.getByText("FALL LARMAS INTE: sensorn hörs inte eller bärs inte.").waitFor();
    await button("Jag är i bostaden (30 min)").click();
    await page.getByText(/^PAUS till \d\d:\d\d$/).waitFor();
    expect(await page.getByRole("timer").textContent()).toMatch(/^(30:00|29:5\d) kvar$/);
    await page.getByText("Personal i bostaden, Rut").waitFor();
    expect(await shift.alerting().dwellings.pauses()).toMatchObject([
      { key: "38", reason: "staff-in-dwelling", by: "Rut" },
    ]);
    await button("Avsluta pausen").click();
    await page.getByText("Ingen paus.").waitFor();
    expect(await shift.alerting().dwellings.pauses()).toEqual([]);
    // A responder's own pauses are those of a visit.
    await button("Annan paus …").click();
    const dialog = page.getByRole("dialog", { name: "Pausa Nyckel 38" });
    expect(await dialog.getByLabel("Varför").locator("option").allTextContents()).toEqual([
      "Personal i bostaden",
      "Besök hos den boende",
      "Bad eller dusch",
    ]);
    expect(await dialog.getByText("till en viss tid").count()).toBe(0);
    await page.keyboard.press("Escape");
    const until = shift.clock.wallNow() + 2_500;
    await shift.alerting().dwellings.pause({ key: "38" }, { until, reason: "bath", by: "Eva" });
    await page.reload();
    await page.getByText("Bad eller dusch, Eva").waitFor();
    await page.getByText("Ingen paus.").waitFor({ timeout: 6_000 });
    expect(shift.clock.wallNow()).toBeGreaterThanOrEqual(until);
  });

  test("a new dwelling and who lives there; consents person by person; whose is withdrawn, and nobody consents for another", async () => {
    await stage.logIn(manager, "residents");
    await button("Ny bostad").click();
    const add = page.getByRole("dialog", { name: "Ny bostad" });
    const fill = async (key: string) => {
      await add.getByLabel("Nyckelnummer").fill(key);
      await add.getByLabel("Enhet").fill("Gustavsberg");
      await add.getByLabel(/^Område/).fill("Gustavsberg syd");
      await button("Spara").click();
    };
    await fill("83");
    await add.getByText("För lik nyckel 38 i samma område", { exact: false }).waitFor();
    await fill("38");
    await add.getByText("Det finns redan en bostad med den nyckeln", { exact: false }).waitFor();
    await fill("4102");
    await page.getByRole("heading", { name: "Nyckel 4102" }).waitFor();

    await button("Lägg till boende").click();
    const form = page.getByRole("dialog", { name: "Ny boende, Nyckel 4102" });
    await form.getByLabel("Namn", { exact: true }).fill("Bo Al");
    await form.getByLabel("Hund").check();
    await form.getByLabel("Kontakt 1: namn").fill("Larm");
    await form.getByLabel("Kontakt 1: telefon").fill("112");
    await button("Spara").click();
    await form.getByText("112, 113, 114 och 1177 kan inte stå som kontakt.", { exact: false }).waitFor();
    await form.getByLabel("Kontakt 1: telefon").fill("070-123 45 67");
    await button("Spara").click();
    await form.waitFor({ state: "hidden" });
    await button("Visa uppgifterna").click();
    await page.getByRole("link", { name: "Ring Larm 070-123 45 67" }).waitFor();

    const consent = async (giver: string, person = "Den boende") => {
      await button("Skriv in ett samtycke").click();
      const dialog = page.getByRole("dialog", { name: "Samtycke, Nyckel 4102" });
      await dialog.getByLabel(person, { exact: true }).check();
      await dialog.getByLabel("Namn på den som samtycker").fill(giver);
      await dialog.getByLabel(/^Hur hen fick veta/).fill("Vid besök, av Mona");
      await button("Spara").click();
      return dialog;
    };
    const refused = await consent("Mona");
    await refused.getByText("Du kan inte samtycka åt någon annan.", { exact: false }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByLabel("Bor med andra").check();
    await (await consent("Bo Al")).waitFor({ state: "hidden" });
    await page.getByText("Det saknas från någon annan som bor där.").waitFor();
    const state = async () =>
      (await shift.alerting().dwellings.consents()).find(({ key }) => key === "4102")?.state ?? "none";
    expect(await state()).toBe("missing");
    await (await consent("Lo Al", "Någon annan som bor där")).waitFor({ state: "hidden" });
    await page.getByText(/^Samtycke finns sedan/).waitFor();
    expect(await state()).toBe("given");
    await button("Visa vem som har samtyckt").click();
    await button("Återta Lo Als samtycke").click();
    await page.getByRole("dialog").getByText("Lo Al vill inte längre.", { exact: false }).waitFor();
    await page.getByRole("dialog").getByRole("button", { name: "Återta samtycket" }).click();
    await page.getByText(/^ÅTERTAGET/).waitFor();
    expect(await state()).toBe("withdrawn");
    await page.getByText("FALL LARMAS INTE: samtycke saknas. Larmknappen larmar.").waitFor();
    expect(await width()).toBe(360);
  });

  test("the strip shows an outage of before, drawn and in words", async () => {
    const now = shift.clock.wallNow();
    movedBack(shift.dataDir, 4 * day);
    const zone = zoneOf(shift.config.timeZone);
    const noon = zone.at(zone.dayOf(now) - 2, 720);
    const says = (event: "heartbeat" | "offline" | "online", at: number) =>
      shift.alerting().intake.submit({
        type: "device-event",
        event: { v: 1, id: `${event}${at}`, deviceId: "watch-38", at, event, gatewayId: "g1", worn: true },
      });
    await says("heartbeat", now - 4 * day);
    await says("offline", noon);
    await says("online", noon + 150 * 60_000);
    await stage.logIn(patrol, "residents/38");
    const date = new Intl.DateTimeFormat("sv-SE", { weekday: "short", day: "numeric", month: "short" }).format(noon);
    const row = page.getByRole("row", { name: new RegExp(`^${date}`) });
    await row.waitFor();
    expect(await row.textContent()).toContain("2 tim 30 min (10 %): sensorn hördes inte");
    const drawn = await row
      .locator("rect.fault")
      .evaluateAll((all) =>
        all.map((rect) => [rect.getAttribute("x"), rect.getAttribute("width"), rect.getAttribute("height")]),
      );
    expect(drawn).toEqual([["24", "5", "10"]]);
    const other = page.getByRole("row", {
      name: new RegExp(
        `^${new Intl.DateTimeFormat("sv-SE", { weekday: "short", day: "numeric", month: "short" }).format(noon - day)}`,
      ),
    });
    expect(await other.textContent()).toContain("bevakat hela tiden");
    expect(await other.locator("rect.fault").count()).toBe(0);
  });

  test("a register of two thousand is there, and searched, without a wait", async () => {
    manyDwellings(shift.dataDir, 2_000);
    await stage.logIn(operator);
    const before = performance.now();
    await page.goto(`${shift.url}/#/residents`);
    await page.getByText(/^2\s003 bostäder$/).waitFor();
    const came = performance.now() - before;
    const took = await page.evaluate(async () => {
      const field = document.querySelector<HTMLInputElement>("input[type=search]")!;
      const began = performance.now();
      field.value = "1999";
      field.dispatchEvent(new Event("input", { bubbles: true }));
      while (document.querySelectorAll(".residents-table tbody tr").length !== 1) {
        await new Promise((resolve) => requestAnimationFrame(resolve));
        if (performance.now() - began > 5_000) throw new Error("the search never ended");
      }
      return performance.now() - began;
    });
    expect(came).toBeLessThan(4_000);
    expect(took).toBeLessThan(500);
    expect(await width()).toBe(360);
    await page.getByLabel("Språk").selectOption("en");
    await page.getByRole("heading", { name: "Residents" }).waitFor();
    await page.getByText("WITHDRAWN").waitFor();
    expect(await width()).toBe(360);
    await page.getByLabel("Language").selectOption("sv");
    await page.getByRole("link", { name: /^1999/ }).click();
    await page.getByRole("heading", { name: "Nyckel 1999" }).waitFor();
  });
});

/** As if the service had run, and its devices had been put up, so much longer. */
function movedBack(dataDir: string, ms: number): void {
  const db = new DatabaseSync(join(dataDir, "alerting.db"), { timeout: 2_000 });
  for (const { name } of db
    .prepare("SELECT name FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = 'control_changes'")
    .all()) {
    db.exec(`DROP TRIGGER ${name}`);
  }
  db.exec(`UPDATE service_beat SET since = since - ${ms}; UPDATE devices SET added_at = added_at - ${ms};
    UPDATE control_changes SET at = at - ${ms}`);
  db.close();
}

function manyDwellings(dataDir: string, count: number): void {
  const db = new DatabaseSync(join(dataDir, "alerting.db"), { timeout: 2_000 });
  db.exec("BEGIN IMMEDIATE");
  const dwelling = db.prepare("INSERT INTO dwellings (id, alias, unit, area, room) VALUES (?, ?, ?, ?, 'badrum')");
  const device = db.prepare(
    "INSERT INTO devices (id, dwelling_id, placement, secret_hash, revoked, added_at) VALUES (?, ?, 'wrist', 'x', 0, 1)",
  );
  const consent = db.prepare("INSERT INTO consents (dwelling_id, state, at, by) VALUES (?, 'withdrawn', 1, 'Eva')");
  for (let i = 0; i < count; i++) {
    dwelling.run(`many-${i}`, String(i + 1000), `Enhet ${i % 20}`, `Område ${i % 100}`);
    device.run(`many-${i}`, `many-${i}`);
    consent.run(`many-${i}`);
  }
  db.exec("COMMIT");
  db.close();
}
