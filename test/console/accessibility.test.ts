import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacks } from "../services/needs.ts";
import { builtPage, openBrowser } from "./console-service.ts";
import { everyAccount, firstWithin, logInAs, logOut, openPage, pagesInNavigation } from "./every-page.ts";
import { type GeneratedNight, playNight } from "./generated-night.ts";
import { operator } from "./night-shift.ts";
import { axeProblems, moving, smallTargets, tabProblems, widerThanScreen } from "./page-checks.ts";

const phone = { viewport: { width: 360, height: 740 } };
const desktop = { viewport: { width: 1360, height: 860 } };
/** Each language and each width; what depends on colours alone is looked at in the other ones too. */
const looks: [name: string, language: "sv" | "en", BrowserContextOptions][] = [
  ["phone, Swedish, dark", "sv", { ...phone, colorScheme: "dark" }],
  ["desktop, English, light", "en", { ...desktop, colorScheme: "light" }],
];

describe.skipIf(lacks("chromium"))("every page of the console (needs chromium)", () => {
  let night: GeneratedNight;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  let page: Page;
  beforeAll(async () => {
    await builtPage();
    [night, browser] = await Promise.all([playNight(), openBrowser({ timezoneId: "Europe/Stockholm" })]);
    page = await browser.context.newPage();
  });
  afterAll(async () => {
    await browser?.close();
    await night?.close();
  });

  async function look(language: "sv" | "en", { viewport, colorScheme }: BrowserContextOptions): Promise<void> {
    if (viewport) await page.setViewportSize(viewport);
    await page.emulateMedia({ colorScheme: colorScheme ?? null, reducedMotion: "reduce" });
    await page.goto(night.shift.url);
    await page.evaluate((chosen) => localStorage.setItem("fallvakt.language", chosen), language);
    await logOut(page);
    await page.goto(night.shift.url);
  }

  /** Each page once, by the first account that may see it, and the first thing within it. */
  async function onEveryPage(check: (where: string) => Promise<void>): Promise<string[]> {
    const { url } = night.shift;
    const seen = new Set<string>();
    for (const account of everyAccount) {
      await logInAs(page, url, account);
      for (const href of (await pagesInNavigation(page)).filter((one) => !seen.has(one))) {
        seen.add(href);
        await openPage(page, url, href);
        await check(href);
        const within = await firstWithin(page, href);
        if (!within) continue;
        await openPage(page, url, within);
        await page.locator(".plot canvas:visible, main h1:visible, main h2:visible").first().waitFor();
        await check(`${href}, ${within.replace(href, "")}`);
      }
    }
    return [...seen];
  }

  test.each(looks)(
    "%s: nothing serious, everything by keyboard and by thumb, nothing cut off",
    async (_, language, options) => {
      const problems: string[] = [];
      const { colorScheme } = options;
      const checks: [name: string, find: () => Promise<string[]>][] = [
        ["axe", () => axeProblems(page)],
        ["axe, the other colours", () => inOtherColours(() => axeProblems(page, ["color-contrast"]))],
        ["thumb", () => smallTargets(page)],
        ["width", () => widerThanScreen(page)],
        ["keyboard", () => tabProblems(page)],
        ["text twice as large", () => withLargeText(() => widerThanScreen(page))],
        ["moves", () => moving(page)],
      ];
      async function inOtherColours(find: () => Promise<string[]>): Promise<string[]> {
        await page.emulateMedia({ colorScheme: colorScheme === "dark" ? "light" : "dark" });
        const found = await find();
        await page.emulateMedia({ colorScheme: colorScheme ?? null });
        return found;
      }
      async function check(where: string): Promise<void> {
        for (const [name, find] of checks)
          for (const problem of await find()) problems.push(`${where}, ${name}: ${problem}`);
      }
      await look(language, options);
      await page.locator("input[name=name]").waitFor();
      await check("login");
      const seen = await onEveryPage(check);
      expect(seen).toContain("#/");

      await logInAs(page, night.shift.url, operator);
      await page.locator(".board .card").first().locator("button.secondary").last().click();
      await page.locator("dialog[open]").waitFor();
      await check("dialog");
      await page.keyboard.press("Escape");
      await page.locator("dialog").waitFor({ state: "detached" });
      expect(await page.evaluate(() => document.activeElement?.tagName), "the focus goes back to what opened it").toBe(
        "BUTTON",
      );
      await browser.context.setOffline(true);
      await page.locator(".lost").waitFor();
      await check("no contact");
      await browser.context.setOffline(false);
      expect(problems).toEqual([]);
    },
    120_000,
  );

  async function withLargeText(find: () => Promise<string[]>): Promise<string[]> {
    await page.evaluate(() => (document.documentElement.style.fontSize = "200%"));
    const found = await find();
    await page.evaluate(() => (document.documentElement.style.fontSize = ""));
    return found;
  }
});
