import type { Locator, Page } from "playwright-core";
import { beforeEach, describe, expect, test } from "vitest";
import type { ServiceEvent } from "../../alerting/events.ts";
import { weekdayOf, zoneOf } from "../../alerting/rota/local-time.ts";
import { type ShiftDay, weekdays } from "../../alerting/rota/rota-config.ts";
import { lacks } from "../services/needs.ts";
import { manager, type NightShift, operator, otherPatrol, patrol } from "./night-shift.ts";
import { useStage } from "./stage.ts";

const zone = zoneOf("Europe/Stockholm");
const tomorrow = zone.dayOf(Date.now()) + 1;
const weekday = (day: number) => weekdays[weekdayOf(day)] ?? "mon";
const allDay = (id: string, days: readonly ShiftDay[], responders: string[]) => ({
  ...{ id, name: id === "night" ? "Dygn" : id, days: [...days], from: "00:00", to: "00:00", responders },
});

/** Somebody is on call at every moment but on the day of tomorrow, from midnight to midnight. */
const rotas = [
  {
    ...{ id: "syd", name: "Syd", unit: "Gustavsberg" },
    shifts: [
      allDay(
        "night",
        weekdays.filter((day) => day !== weekday(tomorrow)),
        ["patrol-2"],
      ),
    ],
  },
  { id: "nord", name: "Nord", unit: "Hemmesta", shifts: [allDay("all", weekdays, ["patrol-3"])] },
];
const policy = {
  steps: [
    { rotas: ["syd"], waitSeconds: 2 },
    { responders: ["leader"], waitSeconds: 2 },
  ],
};

describe.skipIf(lacks("chromium"))("the rota in a browser (needs chromium)", () => {
  const stage = useStage({}, { rotas, policy, operators: ["leader"] });
  let page: Page;
  let shift: NightShift;
  beforeEach(() => {
    ({ page, shift } = stage);
  });

  const open = async (account = operator as Parameters<typeof stage.logIn>[0], path = "rota") => {
    await stage.logIn(account, path);
    await page.getByRole("heading", { name: /Schema vecka|Larmordning/, level: 1 }).waitFor();
  };
  const rota = (name: string) =>
    page.locator("section.rota-one", { has: page.getByRole("heading", { name, level: 2 }) });
  const alarmsTo = (number: string) =>
    (shift.network.phones.get(number)?.inbox ?? []).filter(({ body }) => /^LARM/.test(body)).map(({ body }) => body);
  const phones = { "Patrull 2": "+46701740602", "Patrull 3": "+46701740603", Gruppchef: "+46701740604" };
  /** Sends the dialog on its way once what it makes is shown, and waits until it is closed. */
  const confirm = async (dialog: Locator, button: string) => {
    await dialog.getByRole("heading", { name: "Så blir det" }).waitFor();
    await dialog.getByRole("button", { name: button }).click();
    await dialog.waitFor({ state: "hidden" });
  };

  test("a gap is red and said in words; somebody is put in, and what would bring the gap back asks first", async () => {
    await open();
    const syd = rota("Syd Gustavsberg");
    const faults = syd.locator(".rota-faults");
    expect(await faults.textContent()).toMatch(
      /INGEN HAR JOUR .*00:00 – .*00:00\. Larm går då direkt vidare till nästa/,
    );
    const red = await faults.evaluate((element) => getComputedStyle(element).backgroundColor);
    expect(red).toBe("rgb(179, 18, 29)");
    // Where tomorrow is Monday it is in the next week.
    if (weekdayOf(tomorrow) === 0) {
      await page.getByRole("link", { name: /Nästa vecka/ }).click();
      await page.getByRole("heading", { name: /Schema vecka/ }).waitFor();
    }
    await syd
      .getByRole("button", { name: /Sätt in någon: INGEN HAR JOUR/ })
      .first()
      .click();
    const dialog = page.getByRole("dialog", { name: "Sätt in någon i Syd" });
    await dialog.getByLabel("Gruppchef").check();
    await dialog.getByText("Efter: Gruppchef").waitFor();
    await confirm(dialog, "Gör ändringen");
    await syd.getByText("Gruppchef utöver schemat").waitFor();
    await syd.getByText(/Gjord av Maria/).waitFor();
    await syd.getByText(/Någon har jour hela tiden/).waitFor();
    expect(await faults.count()).toBe(0);
    // Nobody is left alone by a slip of the thumb.
    await syd.getByRole("button", { name: /Ångra ändring/ }).click();
    const undo = page.getByRole("dialog", { name: "Ångra ändringen?" });
    await undo.getByText(/DÅ HAR INGEN JOUR/).waitFor();
    await undo.getByRole("button", { name: "Ångra" }).click();
    await undo.getByText(/Kryssa i att du vet det/).waitFor();
    await undo.getByLabel(/Jag vet att ingen har jour då/).check();
    await confirm(undo, "Ångra");
    await faults.waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });

  test("a substitute put in on the page is whom the next alarm pages, and the dry run names the same people in the same order", async () => {
    const queued: string[] = [];
    shift.alerting().events.on((event: ServiceEvent) => {
      if (event.type === "page-queued" && /^(alarm|not-taken)$/.test(event.purpose)) queued.push(event.responderId);
    });
    await open(manager);
    const syd = rota("Syd Gustavsberg");
    await syd
      .getByRole("button", { name: /Ändra Dygn .*Patrull 2/ })
      .first()
      .click();
    const dialog = page.getByRole("dialog", { name: /Ändra Dygn/ });
    await dialog.getByLabel("Vem tar över?").selectOption({ label: "Patrull 3" });
    await dialog.getByText("Efter: Patrull 3").waitFor();
    await dialog.getByText("Patrull 3 har jour i Nord samtidigt.").waitFor();
    await confirm(dialog, "Gör ändringen");
    await syd.getByText("Patrull 3 tar över Dygn från Patrull 2").waitFor();

    const before = Object.values(phones).map((number) => alarmsTo(number).length);
    await page.getByRole("link", { name: "Larmordning" }).click();
    await page.getByRole("button", { name: "Visa vem som larmas" }).click();
    const rows = page.getByRole("table", { name: "Vem som larmas, i tidsordning" }).locator("tbody tr");
    await rows.first().waitFor();
    const told = await page.locator(".rota-result td:last-child li > strong:first-child").allTextContents();
    expect(told).toEqual(["Patrull 3", "Gruppchef", "Gruppchef", "Patrull 3"]);
    expect(await rows.first().textContent()).toContain("schema Syd");
    await page.getByText(/Sedan börjar det om från steg 1/).waitFor();
    // It was only thought of.
    expect(Object.values(phones).map((number) => alarmsTo(number).length)).toEqual(before);
    expect(queued).toEqual([]);

    await shift.fall("38");
    await expect.poll(() => queued.length, { timeout: 12_000 }).toBeGreaterThanOrEqual(told.length);
    const nameOf = (id: string) => shift.config.responders.find((responder) => responder.id === id)?.name;
    expect(queued.slice(0, told.length).map(nameOf)).toEqual(told);
    expect(alarmsTo(phones["Patrull 3"])[0]).toMatch(/^LARM FALL \d{3}\. Nyckel 38/);
    expect(alarmsTo(phones["Patrull 2"])).toEqual([]);
  });

  test("a phone that gets no texts turns the rota red within 5 s; whoever may not change it sees what a change would do", async () => {
    await open(patrol);
    expect(await rota("Nord Hemmesta").count()).toBe(0);
    const syd = rota("Syd Gustavsberg");
    await syd.waitFor();
    // Its phone answers STOP to the test alarm of its shift.
    await expect.poll(() => shift.patrol.inbox.length).toBeGreaterThan(0);
    const before = performance.now();
    await shift.patrol.reply("STOP");
    await syd
      .locator(".rota-faults")
      .getByText(/Patrull 2 FÅR INGA SMS sedan/)
      .waitFor();
    expect(performance.now() - before).toBeLessThan(5_500);
    await syd
      .getByRole("button", { name: /Ändra Dygn .*Patrull 2/ })
      .first()
      .click();
    const dialog = page.getByRole("dialog");
    await dialog.getByLabel("Vem tar över?").selectOption({ label: "Gruppchef" });
    await dialog.getByText(/Ditt konto ändrar inte schemat/).waitFor();
    expect(await dialog.getByRole("button", { name: "Gör ändringen" }).count()).toBe(0);
    await dialog.getByRole("button", { name: "Stäng" }).click();
    await syd.getByText("Inga ändringar den här veckan.").waitFor();
    // Nothing of the other unit by address either.
    const answers = await page.evaluate(async () =>
      Promise.all(
        ["nord/calendar", "none/calendar"].map(async (path) => (await fetch(`/api/v1/rotas/${path}`)).text()),
      ),
    );
    expect(answers[0]).toContain("not-found");
    expect(answers[0]).toBe(answers[1]);
  });

  test("another unit sees its own rota alone; on a wide screen the week is a grid, by keyboard too, with the line of now", async () => {
    await page.setViewportSize({ width: 1280, height: 900 });
    await open(otherPatrol);
    expect(await rota("Syd Gustavsberg").count()).toBe(0);
    const nord = rota("Nord Hemmesta");
    const grid = nord.getByRole("table", { name: /Nord, vecka/ });
    expect(await grid.getByRole("row").count()).toBe(7);
    expect(await grid.locator(".rota-now-line").count()).toBe(1);
    const block = grid.getByRole("button", { name: /Ändra all .*Patrull 3/ }).first();
    await block.focus();
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    const link = nord.getByRole("link", { name: /kalenderfil/ });
    const text = await page.evaluate(async (href) => (await fetch(href ?? "")).text(), await link.getAttribute("href"));
    expect(text).toContain("BEGIN:VCALENDAR");
  });
});
