import type { Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { lacks } from "../services/needs.ts";
import { openBrowser } from "./console-service.ts";
import { installer, manager, type NightShift, patrol } from "./night-shift.ts";
import { useStage } from "./stage.ts";

const chosen = "fyra ord i en rad";

describe.skipIf(lacks("chromium"))("accounts in a browser (needs chromium)", () => {
  const stage = useStage();
  let page: Page;
  let shift: NightShift;
  let phone: Awaited<ReturnType<typeof openBrowser>>;
  beforeAll(async () => {
    phone = await openBrowser({ viewport: { width: 360, height: 740 }, timezoneId: "Europe/Stockholm" });
  });
  afterAll(() => phone?.close());
  beforeEach(async () => {
    ({ page, shift } = stage);
    await phone.context.clearCookies();
  });

  const row = (name: string, on = page) =>
    on.locator(".accounts-row", { has: on.getByRole("heading", { name, exact: true }) });
  const dialog = (on = page) => on.getByRole("dialog");
  const width = (on = page) => on.evaluate(() => document.documentElement.scrollWidth);

  /** Presses one of the buttons behind "Hantera" and confirms it. */
  async function manage(name: string, act: string): Promise<void> {
    await row(name).locator("summary").click();
    await page.getByRole("button", { name: `${act}, ${name}` }).click();
    await dialog().getByRole("button", { name: act }).click();
    await dialog().waitFor({ state: "hidden" });
  }

  async function openPhone(hash: string): Promise<Page> {
    const opened = await phone.context.newPage();
    await opened.goto(`${shift.url}/#/${hash}`);
    return opened;
  }

  test("invited by a code, a patrol chooses a password and sees what it may; a restart logs nobody out; removed, the page says so", async () => {
    await stage.logIn(manager, "accounts");
    await page.getByRole("button", { name: "Lägg till konto" }).click();
    await dialog().getByLabel("Namn", { exact: true }).fill("Nils");
    await dialog().getByLabel("Bara vissa enheter").check();
    await dialog().getByRole("button", { name: "Lägg till och visa kod" }).click();
    await dialog().getByText("Välj minst en enhet.").waitFor();
    await dialog().getByLabel("Gustavsberg", { exact: true }).check();
    await dialog().getByRole("button", { name: "Lägg till och visa kod" }).click();
    await dialog().getByRole("heading", { name: "Engångskod till Nils" }).waitFor();
    const code = (await dialog().locator(".accounts-digits").textContent()) ?? "";
    expect(code).toMatch(/^\d{4} \d{4} \d{4}$/);
    await dialog()
      .getByRole("img", { name: /QR-kod/ })
      .waitFor();
    expect(await width()).toBe(360);
    await dialog().getByRole("button", { name: "Klar" }).click();
    await row("Nils").getByText("Har inte valt lösenord än").waitFor();

    // As the QR code opens it.
    const nils = await openPhone(`code/Nils/${code.replaceAll(" ", "")}`);
    await nils.getByLabel("Nytt lösenord").fill("kort");
    await nils.getByRole("button", { name: "Spara och logga in" }).click();
    await nils.getByText("Lösenordet är för kort. Minst 12 tecken.").waitFor();
    await nils.getByLabel("Nytt lösenord").fill(chosen);
    await nils.getByRole("button", { name: "Spara och logga in" }).click();
    await nils.getByText("Inga öppna larm.").waitFor();
    expect(nils.url()).toBe(`${shift.url}/#/`);
    expect(await nils.getByRole("link", { name: "Konton" }).count()).toBe(0);
    await nils.goto(`${shift.url}/#/accounts`);
    await nils.getByText("Ditt konto får inte se den här sidan.").waitFor();

    await shift.stop();
    await nils.getByText("INGEN KONTAKT MED SERVERN").waitFor({ timeout: 6000 });
    await shift.start();
    await nils.getByText(/Kontakten är tillbaka/).waitFor();
    await nils.reload();
    await nils.getByRole("link", { name: "Mitt konto" }).click();
    await nils.getByText("Den här enheten").waitFor();
    expect(await width(nils)).toBe(360);

    await page.reload();
    await manage("Nils", "Ta bort kontot");
    await nils.getByText(/Du är utloggad\. Någon har ändrat eller stängt ditt konto/).waitFor({ timeout: 3000 });
    await nils.getByLabel("Namn").fill("Nils");
    await nils.getByLabel("Lösenord").fill(chosen);
    await nils.keyboard.press("Enter");
    await nils.getByText("Fel namn eller lösenord.").waitFor();
    expect(await row("Nils").count()).toBe(0);
    await nils.close();
  });

  test("a code that was read out mends a forgotten password; a closed account is out at once, also where no board is open", async () => {
    await stage.logIn(manager, "accounts");
    await row(installer.name).locator("summary").click();
    await page.getByRole("button", { name: `Ny engångskod, ${installer.name}` }).click();
    await dialog().getByRole("button", { name: "Visa kod" }).click();
    const code = (await dialog().locator(".accounts-digits").textContent()) ?? "";
    await dialog().getByRole("button", { name: "Klar" }).click();

    const ivar = await openPhone("");
    await ivar.getByRole("link", { name: "Jag har en engångskod" }).click();
    await ivar.getByLabel("Namn").fill(installer.name);
    await ivar.getByLabel("Engångskod").fill("0000 0000 0000");
    await ivar.getByLabel("Nytt lösenord").fill(chosen);
    await ivar.getByRole("button", { name: "Spara och logga in" }).click();
    await ivar.getByText(/en kod som är fel, använd eller för gammal/).waitFor();
    await ivar.getByLabel("Engångskod").fill(code);
    await ivar.getByRole("button", { name: "Spara och logga in" }).click();
    await ivar.getByRole("button", { name: "Logga ut", exact: true }).first().waitFor();
    await ivar.goto(`${shift.url}/#/account`);
    await ivar.getByText("Den här enheten").waitFor();

    await manage(installer.name, "Stäng kontot");
    await row(installer.name).getByText("Stängt: ingen kan logga in").waitFor();
    await ivar.getByRole("button", { name: "Byt lösenord" }).click();
    await dialog(ivar).getByLabel("Ditt lösenord nu").fill(chosen);
    await dialog(ivar).getByLabel("Nytt lösenord").fill("fem ord i en enda rad");
    await dialog(ivar).getByRole("button", { name: "Spara" }).click();
    await ivar.getByText(/Du är utloggad/).waitFor();
    await ivar.close();
  });

  test("the own account: another password, another device logged out, a token that is shown once and revoked", async () => {
    await stage.logIn(patrol, "account");
    const other = await openPhone("");
    await other.getByLabel("Namn").fill(patrol.name);
    await other.getByLabel("Lösenord").fill(patrol.password);
    await other.keyboard.press("Enter");
    await other.getByText("Inga öppna larm.").waitFor();

    await page.getByRole("button", { name: "Byt lösenord" }).click();
    await dialog().getByLabel("Ditt lösenord nu").fill("en gissning");
    await dialog().getByLabel("Nytt lösenord").fill(chosen);
    await dialog().getByRole("button", { name: "Spara" }).click();
    await dialog().getByText("Det är inte ditt lösenord nu.").waitFor();
    await dialog().getByLabel("Ditt lösenord nu").fill(patrol.password);
    await dialog().getByRole("button", { name: "Spara" }).click();
    await page.getByText("Lösenordet är bytt. Andra enheter är utloggade.").waitFor();
    await other.getByText(/Du är utloggad/).waitFor({ timeout: 3000 });
    await other.close();

    await page.getByRole("button", { name: "Ge ett program åtkomst" }).click();
    await dialog().getByLabel("Programmets namn").fill("tavla-entre");
    await dialog().getByLabel("se larm").check();
    await dialog().getByLabel("Ditt lösenord nu").fill(chosen);
    expect(await width()).toBe(360);
    await dialog().getByRole("button", { name: "Visa token" }).click();
    const token = await dialog().getByLabel("Token för tavla-entre").inputValue();
    await dialog().getByRole("button", { name: "Klar" }).click();
    const headers = { authorization: `Bearer ${token}` };
    const board = () => fetch(`${shift.url}/api/v1/episodes`, { headers });
    expect((await board()).status).toBe(200);
    expect((await fetch(`${shift.url}/api/v1/pauses`, { headers })).status).toBe(403);
    await page.getByRole("button", { name: "Spärra, tavla-entre" }).click();
    await dialog().getByRole("button", { name: "Spärra" }).click();
    await page.getByText("Inga program har åtkomst.").waitFor();
    expect((await board()).status).toBe(401);
  });
});
