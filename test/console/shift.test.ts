import type { Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import { lacks } from "../services/needs.ts";
import { dayRota } from "./day-rota.ts";
import { auditor, installer, type NightShift, operator, otherPatrol, patrol } from "./night-shift.ts";
import { useStage } from "./stage.ts";

const rotas = [dayRota()];

describe.skipIf(lacks("chromium"))("the shift in a browser (needs chromium)", () => {
  const stage = useStage({}, { rotas, policy: { steps: [{ rotas: ["syd"], waitSeconds: 60 }] } });
  let page: Page;
  let shift: NightShift;
  beforeEach(() => {
    ({ page, shift } = stage);
  });

  const phone = (id: string) =>
    shift.network.phones.get(shift.config.responders.find((one) => one.id === id)?.phone ?? "")!;
  /** The newest text like this to a phone, once it is there; with `count`, once there are so many. */
  async function text(id: string, like: RegExp, count = 1): Promise<string> {
    await expect
      .poll(() => phone(id).inbox.filter(({ body }) => like.test(body)).length, { timeout: 15_000 })
      .toBeGreaterThanOrEqual(count);
    return phone(id).inbox.findLast(({ body }) => like.test(body))!.body;
  }
  const answer = async (id: string, like: RegExp, letter: string, count = 1) =>
    phone(id).reply(`${/T?\d{3,4}/.exec(await text(id, like, count))?.[0]} ${letter}`);
  const card = (name: string) => page.locator("article.shift-phone", { hasText: name });

  test("a phone is signed on from the page and answers by SMS; handed over in mid-shift, the next alarm goes to the new one", async () => {
    await stage.logIn(patrol, "shift");
    await page.getByText("INGEN LARMTELEFON ÄR PÅLOGGAD").waitFor();
    await card("Patrull 2").getByText("VÄNTAR PÅ SVAR").waitFor({ timeout: 15_000 });
    await page.getByRole("button", { name: "Nytt provlarm, Patrull 2" }).click();
    await page.getByText("Ett provlarm är på väg till Patrull 2.").waitFor();
    await card("Patrull 2")
      .getByText(/sms levererat\. Svara på sms:et senast/)
      .waitFor();
    // Asked again by hand: the second test alarm is the one that counts.
    await answer("patrol-2", /^PROVLARM/, "T", 2);
    await card("Patrull 2")
      .getByText(/PÅLOGGAD \d\d:\d\d/)
      .waitFor();
    expect(await page.getByText("INGEN LARMTELEFON ÄR PÅLOGGAD").count()).toBe(0);
    expect(await page.locator("main").textContent()).not.toMatch(/\+?\d[\d ]{7,}/);

    await page.getByRole("button", { name: "Vilka är med, Patrull 2" }).click();
    await page.getByLabel("Initialer, till exempel EA, MK").fill("070-1740602");
    await page.getByRole("button", { name: "Spara" }).click();
    await page.getByText("Skriv initialer: högst 40 tecken och inga nummer.").waitFor();
    await page.getByLabel("Initialer, till exempel EA, MK").fill("EA, MK");
    await page.getByRole("button", { name: "Spara" }).click();
    await card("Patrull 2").getByText("Med telefonen: EA, MK").waitFor();

    await shift.fall("38");
    await answer("patrol-2", /^LARM FALL/, "T");
    await card("Patrull 2").getByRole("link", { name: "Nyckel 38, FALL" }).waitFor();
    await page.getByRole("button", { name: "Lämna över, Patrull 2" }).click();
    const dialog = page.getByRole("dialog", { name: "Lämna över passet från Patrull 2" });
    await dialog.getByRole("button", { name: "Lämna över" }).click();
    await dialog.getByText("Välj vilken telefon som tar över.").waitFor();
    await dialog.getByLabel("Till").selectOption({ label: "Patrull 3" });
    expect(await dialog.getByLabel(/Nyckel 38/).isChecked()).toBe(true);
    await dialog.getByRole("button", { name: "Lämna över" }).click();
    await page.getByText(/Patrull 3 har passet från nu\..*Ett larm larmas ut på nytt\./).waitFor();
    await card("Patrull 3").getByText("VÄNTAR PÅ SVAR").waitFor({ timeout: 15_000 });
    expect(await card("Patrull 2").count()).toBe(0);
    await answer("patrol-3", /^PROVLARM/, "T");
    await answer("patrol-3", /^LARM FALL/, "U");
    await card("Patrull 3")
      .getByText(/PÅLOGGAD/)
      .waitFor();

    const before = phone("patrol-2").inbox.length;
    await shift.fall("57");
    expect(await text("patrol-3", /^LARM FALL.*Nyckel 57/)).toContain("Nyckel 57");
    expect(
      phone("patrol-2")
        .inbox.slice(before)
        .filter(({ body }) => /^LARM/.test(body)),
    ).toEqual([]);
  }, 60_000);

  test("at 06.45: an injury is for the nurse, ticked it stays so over a restart; the fall report is right to the minute, and is copied", async () => {
    const impactAt = shift.clock.wallNow() - 25 * 60_000;
    await shift.fall("38", { impactAt });
    await answer("patrol-2", /^LARM FALL/, "T");
    await expect.poll(() => shift.episode("38")?.status).toBe("taken");
    await answer("patrol-2", /^LARM FALL/, "S");
    await expect.poll(() => shift.episode("38")?.status).toBe("closed");
    const { id, arrivedAt } = shift.episode("38")!;

    await stage.logIn(operator, "shift/handover");
    const nurse = page.locator("section.shift-part", {
      has: page.getByRole("heading", { name: /Till sjuksköterskan/ }),
    });
    const tick = () => nurse.getByRole("checkbox", { name: /Nyckel 38.*skada\. Åtgärd: inte noterad/ });
    await tick().waitFor();
    expect(await tick().isChecked()).toBe(false);
    await page.getByRole("heading", { name: /Att följa upp 1/ }).waitFor();
    await tick().click();
    await nurse.getByText(/Klart \d\d\.\d\d, Maria\./).waitFor();
    expect(await page.getByLabel("Text att kopiera").inputValue()).toMatch(/^\[x\] Nyckel 38.*skada/m);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);

    await shift.stop();
    await shift.start();
    await page.reload();
    await tick().waitFor();
    expect(await tick().isChecked()).toBe(true);

    await page.getByRole("link", { name: "Fallrapport, Nyckel 38" }).click();
    const report = page.getByLabel("Text att kopiera");
    await report.waitFor();
    const clock = (at: number) =>
      new Date(at)
        .toLocaleString("sv-SE", { timeZone: "Europe/Stockholm", dateStyle: "short", timeStyle: "short" })
        .replace(":", ".");
    const filled = await report.inputValue();
    for (const line of [
      "Vem: Nyckel 38 (fyll i namn)",
      `Tid för fallet: ${clock(impactAt)}`,
      `Hittad: ${clock(arrivedAt!)} av Patrull 2`,
      "Vad hade hänt: Skada. (Beskriv)",
      `Tid på golvet: minst ${Math.floor((arrivedAt! - impactAt) / 60_000)} min (från fallet till att någon var framme)`,
    ]) {
      expect(filled).toContain(`${line}\n`);
    }
    await page.getByText("Tiden på golvet är den kortaste möjliga").waitFor();
    await report.fill(`${filled}Fallet skedde vid sängen.`);
    // Without leave to use the clipboard the text is selected.
    await page.getByRole("button", { name: "Kopiera texten" }).click();
    await page.getByText(/Kopierat\.|Texten är markerad/).waitFor();
    const selected = await report.evaluate((area: HTMLTextAreaElement) =>
      area.value.slice(area.selectionStart, area.selectionEnd),
    );
    expect(selected).toMatch(/Fallet skedde vid sängen\.$/);
    await page.goto(`${shift.url}/#/episodes/${id}`);
    await page.getByRole("link", { name: "Fallrapport, Nyckel 38" }).waitFor();
  }, 60_000);

  test("another unit sees nothing of it, an installer and an auditor have no shift", async () => {
    await shift.fall("38");
    const { id } = shift.episode("38")!;
    await stage.logIn(otherPatrol, "shift");
    await page.getByText("Det finns inget schema för din enhet.").waitFor();
    await page.getByRole("link", { name: "Överlämning" }).click();
    await page.getByText(/Larm under passet: inga/).waitFor();
    expect(await page.locator("main").textContent()).not.toContain("Nyckel");
    await page.goto(`${shift.url}/#/shift/report/${id}`);
    await page.getByText(/Det finns inte, eller hör till en annan enhet/).waitFor();
    for (const account of [installer, auditor]) {
      await page.getByRole("button", { name: "Logga ut" }).click();
      await stage.logIn(account, "shift");
      await page.getByText("Ditt konto får inte se den här sidan.").waitFor();
    }
  }, 60_000);
});
