import type { Page } from "playwright-core";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { lacks } from "../services/needs.ts";
import { manager, type NightShift, operator } from "./night-shift.ts";
import { useStage } from "./stage.ts";
import { openWire, type Wire } from "./wire.ts";

describe.skipIf(lacks("chromium"))("interruptions (need chromium)", () => {
  const stage = useStage();
  let page: Page;
  let shift: NightShift;
  beforeEach(() => {
    ({ page, shift } = stage);
  });

  const card = (key: string) =>
    page.locator(".board article", { has: page.getByText(`Nyckel ${key}`, { exact: true }) });

  async function logInAgain(name: string = operator.name): Promise<void> {
    await page.getByLabel("Namn").fill(name);
    await page.getByLabel("Lösenord").fill(operator.password);
    await page.getByRole("button", { name: "Logga in" }).click();
    await page.getByRole("button", { name: "Logga ut" }).waitFor();
  }

  /** As from another page of the same browser, or after 12 h: the session is over on the server. */
  const endSession = () =>
    stage.browser.context.request.delete(`${shift.url}/api/v1/session`, { headers: { "x-fallvakt-console": "1" } });

  test("a session that ends while somebody types loses nothing: it says so, and after the login it is the same episode and the same text", async () => {
    await shift.fall("38");
    await stage.logIn();
    await page.getByRole("link", { name: "Visa mer, Nyckel 38" }).click();
    const open = () =>
      page
        .locator("aside")
        .getByRole("button", { name: /Avsluta/ })
        .click();
    await open();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Inget fall", { exact: true }).check();
    await dialog.getByLabel(/Skriv varför/).fill("Provade klockan på kontoret");
    const address = page.url();
    await endSession();
    await page.getByText(/Du är utloggad.*Det du skrev finns kvar/).waitFor();
    // Nothing of the alarm stays in sight behind the login.
    expect(await page.locator("body").textContent()).not.toContain("Nyckel");
    await logInAgain();
    expect(page.url()).toBe(address);
    await open();
    expect(await dialog.getByLabel(/Skriv varför/).inputValue()).toBe("Provade klockan på kontoret");
    await dialog.getByRole("button", { name: "Avsluta larmet" }).click();
    await dialog.waitFor({ state: "detached" });
    expect(shift.episode("38")).toMatchObject({ status: "closed", outcome: "no-fall" });
  });

  test("what one account has typed is not shown to another that logs in after it", async () => {
    await shift.fall("38");
    await stage.logIn();
    const open = () => page.getByRole("button", { name: "Avsluta larmet, Nyckel 38" }).click();
    await open();
    await page.getByLabel(/Skriv varför/).fill("Provade klockan på kontoret");
    await endSession();
    await page.getByText(/Det du skrev finns kvar/).waitFor();
    await logInAgain(manager.name);
    await page.getByRole("button", { name: "Logga ut" }).click();
    await logInAgain();
    await open();
    expect(await page.getByLabel(/Skriv varför/).inputValue()).toBe("");
  });

  test("a restart of the server: the same episode is there again, by itself or after the login", async () => {
    await shift.fall("38");
    await stage.logIn();
    await page.getByRole("link", { name: "Visa mer, Nyckel 38" }).click();
    await page.locator("aside").getByText("EJ TAGET").waitFor();
    const address = page.url();
    await shift.stop();
    await page.locator(".lost").waitFor({ timeout: 5000 });
    await shift.start();
    const isBack = page.getByText(/Kontakten är tillbaka/);
    const isAsked = page.getByText(/Du är utloggad/);
    await isBack.or(isAsked).waitFor();
    if (await isAsked.isVisible()) await logInAgain();
    expect(page.url()).toBe(address);
    await page.locator(".lost").waitFor({ state: "detached" });
    await page.locator("aside").getByRole("button", { name: "Ta larmet, Nyckel 38", exact: true }).click();
    await page
      .locator("aside")
      .getByText(/Taget av Maria/)
      .waitFor();
  });

  describe("a network that says nothing", () => {
    let wire: Wire;
    beforeEach(async () => {
      wire = await openWire(shift.port);
      await page.clock.install();
      // Each ring is six tones.
      await page.addInitScript(() => {
        const original = AudioContext.prototype.createOscillator;
        AudioContext.prototype.createOscillator = function (this: AudioContext) {
          const at = window as unknown as { tones?: number };
          at.tones = (at.tones ?? 0) + 1;
          return original.call(this);
        };
      });
    });
    afterEach(() => wire.close());
    const tones = () => page.evaluate(() => (window as unknown as { tones?: number }).tones ?? 0);

    test("for ten minutes: a press says that it did not go; afterwards the board is right, and what came meanwhile is heard", async () => {
      await shift.fall("57");
      await stage.logIn(operator, "", `http://127.0.0.1:${wire.port}`);
      await card("57").getByText("sms levererat").waitFor();
      await page.getByRole("button", { name: "Ta larmet, Nyckel 57", exact: true }).click();
      await card("57")
        .getByText(/Taget av Maria/)
        .waitFor();
      wire.silence();
      await page.locator(".lost").waitFor({ timeout: 6000 });
      await page.getByRole("button", { name: "Markera framme, Nyckel 57" }).click();
      await shift.fall("38");
      await page.clock.runFor("10:00");
      expect(await page.locator(".lost").textContent()).toContain("INGEN KONTAKT MED SERVERN");
      expect(await card("38").count()).toBe(0);
      await page.getByText("GICK INTE: ingen kontakt med servern.").waitFor({ timeout: 10_000 });
      const before = await tones();
      wire.restore();
      await card("38").waitFor({ timeout: 8000 });
      await page.getByText(/Kontakten är tillbaka/).waitFor();
      expect(await card("57").textContent()).toContain("Taget av Maria");
      expect(shift.episode("57")).toMatchObject({ status: "taken", arrivedAt: null });
      await expect.poll(tones).toBeGreaterThanOrEqual(before + 6);
      expect(await page.title()).toMatch(/1 EJ TAGET/);
    });

    test("a phone that slept: when it is looked at, it says at once that it hears nothing, and then what it missed", async () => {
      await stage.logIn(operator, "", `http://127.0.0.1:${wire.port}`);
      await page.getByText("Inga öppna larm.").waitFor();
      // Its timers stand still, and its network is gone.
      await page.clock.pauseAt(Date.now() + 1000);
      wire.silence();
      await shift.fall("38");
      await page.clock.fastForward("20:00");
      await page.evaluate(() => document.dispatchEvent(new Event("visibilitychange")));
      await page.locator(".lost").waitFor({ timeout: 1000 });
      wire.restore();
      await page.clock.resume();
      await card("38").waitFor({ timeout: 5000 });
      expect(await page.locator(".lost").count()).toBe(0);
      await expect.poll(tones).toBeGreaterThanOrEqual(6);
    });
  });
});
