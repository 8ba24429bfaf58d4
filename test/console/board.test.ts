import type { Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lacks } from "../services/needs.ts";
import { type NightShift, operator } from "./night-shift.ts";
import { type Stage, useStage } from "./stage.ts";
import { openWire, type Wire } from "./wire.ts";

describe.skipIf(lacks("chromium"))("the board in a browser (needs chromium)", () => {
  const stage = useStage();
  let page: Page;
  let shift: NightShift;
  let browser: Stage["browser"];
  beforeEach(() => {
    ({ page, shift, browser } = stage);
  });

  async function logIn(url = shift.url, on = page): Promise<void> {
    await stage.logIn(operator, "", url, on);
    await on.getByRole("heading", { name: /Öppna larm/ }).waitFor();
  }

  const card = (key: string, on = page) =>
    on.locator(".board article", { has: on.getByText(`Nyckel ${key}`, { exact: true }) });

  test("a wrong password is refused, in words, and the right one shows the board", async () => {
    await page.goto(shift.url);
    await page.getByLabel("Namn").fill(operator.name);
    await page.getByLabel("Lösenord").fill("gissning");
    await page.getByRole("button", { name: "Logga in" }).click();
    await page.getByText("Fel namn eller lösenord.").waitFor();
    await page.getByLabel("Lösenord").fill(operator.password);
    await page.getByRole("button", { name: "Logga in" }).click();
    await page.getByText("Inga öppna larm.").waitFor();
  });

  test("a fall appears within a second of the change, is announced and stands in the title", async () => {
    await logIn();
    await shift.fall("38");
    const before = performance.now();
    await card("38").waitFor();
    expect(performance.now() - before).toBeLessThan(1000);
    const text = await card("38").textContent();
    for (const part of ["FALL", "Nyckel 38", "Gustavsberg syd · badrum", "EJ TAGET", "Patrull 2", "Kod "]) {
      expect(text).toContain(part);
    }
    expect(text).toMatch(/Hårt fall \d\d:\d\d, stilla fram till larmet\./);
    expect(text).toMatch(/Nästa larmas om \d:\d\d/);
    await card("38").getByText("sms levererat").waitFor();
    expect(await page.title()).toMatch(/1 EJ TAGET/);
    expect(await page.locator(".unseen[role=alert]").textContent()).toContain("Nytt larm: FALL, Nyckel 38");
  });

  test("a fall that a sensor reported is told as that: its own word, and nothing that we did not measure", async () => {
    await logIn();
    const reported = { sensor: "Heiman HS2FD-EF1-3.0", state: "fall_alarm", via: "zigbee2mqtt" };
    await shift.fall("38", { reason: "sensor-reported", evidence: null, model: null, reported });
    await card("38").waitFor();
    expect(await card("38").textContent()).toMatch(/En sensor larmade fall \d\d:\d\d\./);
    await page.getByRole("link", { name: "Visa mer, Nyckel 38" }).click();
    await page.getByRole("heading", { name: "Vad sensorn sade" }).waitFor();
    const text = (await page.locator("section[aria-labelledby=reported-title]").textContent()) ?? "";
    for (const part of ["Heiman HS2FD-EF1-3.0", "fall_alarm", "Ingen rörelse följer med"]) expect(text).toContain(part);
    expect(await page.getByRole("heading", { name: "Vad sensorn mätte" }).count()).toBe(0);
    expect(await page.locator("aside").textContent()).not.toMatch(/Hårt fall|poäng|\d g\b/);
  });

  test("taken on one page, it shows on another within a second; then there, then closed with an outcome", async () => {
    await shift.fall("38");
    await logIn();
    const other = await browser.context.newPage();
    await other.goto(shift.url);
    await card("38", other).waitFor();
    await page.getByRole("button", { name: "Ta larmet, Nyckel 38", exact: true }).click();
    await card("38", page)
      .getByText(/Taget av Maria/)
      .waitFor();
    await card("38", other)
      .getByText(/Taget av Maria/)
      .waitFor({ timeout: 1000 });
    await other.close();
    await page.getByRole("button", { name: "Markera framme, Nyckel 38" }).click();
    await page.getByRole("button", { name: "Avsluta larmet, Nyckel 38" }).click();
    const dialog = page.getByRole("dialog", { name: "Avsluta larmet Nyckel 38" });
    expect(await dialog.getByRole("textbox").count()).toBe(0);
    await dialog.getByRole("button", { name: "Avsluta larmet" }).click();
    await dialog.getByText("Välj vad som hade hänt.").waitFor();
    await dialog.getByLabel("Oskadd men hjälpt upp").check();
    await dialog.getByRole("button", { name: "Avsluta larmet" }).click();
    await page.getByText("Inga öppna larm.").waitFor();
    expect(await page.locator(".closed li").textContent()).toContain("Oskadd men hjälpt upp");
    expect(shift.episode("38")).toMatchObject({ status: "closed", outcome: "unhurt", closedBy: "Maria" });
    // By mistake: it is opened again where it stood.
    await page.getByRole("button", { name: "Ångra, Nyckel 38" }).click();
    await card("38")
      .getByText(/framme kl/)
      .waitFor();
    expect(shift.episode("38")).toMatchObject({ status: "arrived", outcome: null });
  });

  test("where nobody has been there, closing takes a typed reason", async () => {
    await shift.fall("38");
    await logIn();
    await page.getByRole("button", { name: "Avsluta larmet, Nyckel 38" }).click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Inget fall", { exact: true }).check();
    await dialog.getByRole("button", { name: "Avsluta larmet" }).click();
    await dialog.getByText("Skriv varför, minst ett par ord.").waitFor();
    expect(shift.episode("38")?.status).toBe("open");
    await dialog.getByLabel(/Skriv varför/).fill("Provade klockan på kontoret");
    await dialog.getByRole("button", { name: "Avsluta larmet" }).click();
    await page.getByText("Inga öppna larm.").waitFor();
  });

  test("an act that came too late says that it did not go", async () => {
    await shift.fall("38");
    await logIn();
    await card("38").getByText("sms levererat").waitFor();
    // A patrol answers its text more quickly than the press arrives.
    await page.route("**/actions", async (route) => {
      await shift.patrol.reply(`${shift.episode("38")!.code} T`);
      await route.continue();
    });
    await page.getByRole("button", { name: "Ta larmet, Nyckel 38", exact: true }).click();
    await page.getByText("GICK INTE: larmet är redan taget.").waitFor();
  });

  test("the detail draws the movement with the impact, and tells the story", async () => {
    await shift.fall("38");
    await logIn();
    await page.getByRole("link", { name: "Visa mer, Nyckel 38" }).click();
    const plot = page.getByRole("img", { name: /Rörelse från −4,0 till 6,0 sekunder kring stöten\. Hårdast 4,5 g\./ });
    await plot.locator("canvas").waitFor();
    const drawn = await plot.locator("canvas").evaluate((canvas: HTMLCanvasElement) => {
      const { data } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      const wanted = getComputedStyle(canvas).getPropertyValue("--impact").trim();
      const [red, green, blue] = [1, 3, 5].map((from) => Number.parseInt(wanted.slice(from, from + 2), 16));
      let impact = 0;
      let any = 0;
      for (let at = 0; at < data.length; at += 4) {
        if (data[at + 3]! > 128) any++;
        if (data[at] === red && data[at + 1] === green && data[at + 2] === blue && data[at + 3] === 255) impact++;
      }
      return { impact, any };
    });
    expect(drawn.any).toBeGreaterThan(2000);
    // The marking is a dashed line of 2 pixels over some 130 of height.
    expect(drawn.impact).toBeGreaterThan(80);
    await page.getByText("Larmet öppnades").waitFor();
    // A new fall is not hidden behind the one that is looked at.
    await shift.fall("57");
    await page.getByRole("link", { name: /1 larm ej taget/ }).click();
    await card("57").waitFor();
  });

  test("by keyboard alone: take, open, close the dialog with Escape", async () => {
    await shift.fall("38");
    await logIn();
    await card("38").waitFor();
    for (let tab = 0; tab < 12; tab++) {
      await page.keyboard.press("Tab");
      if (await page.evaluate(() => document.activeElement?.getAttribute("aria-label") === "Ta larmet, Nyckel 38"))
        break;
    }
    await page.keyboard.press("Enter");
    await card("38")
      .getByText(/Taget av Maria/)
      .waitFor();
    await page.getByRole("button", { name: "Avsluta larmet, Nyckel 38" }).press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "hidden" });
    expect(shift.episode("38")?.status).toBe("taken");
  });

  test("in English at a choice, which this device keeps; nothing is wider than 360 px", async () => {
    await shift.fall("38");
    await logIn();
    await page.getByLabel("Språk").selectOption("en");
    await page.getByRole("heading", { name: /Open alarms/ }).waitFor();
    await page.reload();
    await page.getByRole("button", { name: "Take the alarm, Key 38" }).waitFor();
    expect(await page.evaluate(() => [document.documentElement.lang, document.documentElement.scrollWidth])).toEqual([
      "en",
      360,
    ]);
  });

  test("after a restart of the server the page goes on, and nobody is logged out", async () => {
    await logIn();
    await shift.stop();
    await page.getByText("INGEN KONTAKT MED SERVERN").waitFor({ timeout: 5000 });
    await shift.start();
    await page.getByText(/Kontakten är tillbaka/).waitFor();
    await shift.fall("38");
    await card("38").waitFor();
  });

  describe("a network that goes silent", () => {
    let wire: Wire;
    beforeEach(async () => {
      wire = await openWire(shift.port);
    });
    afterEach(() => wire.close());

    test("is unmissable within 5 s; when it is back, the page shows what it missed by itself", async () => {
      await logIn(`http://127.0.0.1:${wire.port}`);
      wire.silence();
      const before = performance.now();
      await page.getByText("INGEN KONTAKT MED SERVERN").waitFor({ timeout: 6000 });
      expect(performance.now() - before).toBeLessThan(5000);
      expect(await page.title()).toContain("INGEN KONTAKT");
      await shift.fall("826");
      wire.restore();
      await card("826").waitFor({ timeout: 8000 });
      await page.getByText(/Kontakten är tillbaka/).waitFor();
      expect(await page.getByText("INGEN KONTAKT MED SERVERN").count()).toBe(0);
    });
  });
});
