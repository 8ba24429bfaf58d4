import type { BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { builtPage, openBrowser } from "./console-service.ts";
import { type NightShift, operator, startNightShift, type TestAccount } from "./night-shift.ts";

type Configuration = Parameters<typeof startNightShift>[0];

export interface Stage {
  readonly shift: NightShift;
  /** A fresh one for each test, with nobody logged in. */
  readonly page: Page;
  readonly browser: Awaited<ReturnType<typeof openBrowser>>;
  /** Logs in and opens `#/path`; resolves when the page has its header. */
  logIn(account?: TestAccount, path?: string, url?: string, on?: Page): Promise<void>;
  /** Another page with the same cookies, watched for errors like the first. */
  openPage(): Promise<Page>;
}

/**
 * For each test of a file the true service and a page in Chromium, in Swedish; a test fails where a script of the page broke,
 * or the Content-Security-Policy was breached.
 */
export function useStage(options: BrowserContextOptions = {}, configuration: Configuration = {}): Stage {
  let browser: Stage["browser"];
  let shift: NightShift;
  let page: Page;
  const pages: Page[] = [];
  const broken: string[] = [];

  async function openPage(): Promise<Page> {
    const opened = await browser.context.newPage();
    pages.push(opened);
    opened.on("pageerror", (error) => broken.push(String(error)));
    // Chromium tells of a breach of the Content-Security-Policy here.
    opened.on("console", (message) => {
      if (/content security policy/i.test(message.text())) broken.push(message.text());
    });
    return opened;
  }

  beforeAll(async () => {
    await builtPage();
    browser = await openBrowser({ viewport: { width: 360, height: 740 }, timezoneId: "Europe/Stockholm", ...options });
  });
  afterAll(() => browser?.close());
  beforeEach(async () => {
    shift = await startNightShift(configuration);
    await browser.context.clearCookies();
    broken.length = 0;
    page = await openPage();
  });
  afterEach(async () => {
    await page.evaluate(() => localStorage.clear()).catch(() => undefined);
    for (const opened of pages.splice(0)) await opened.close();
    await shift.close();
    expect(broken).toEqual([]);
  });

  return {
    get shift() {
      return shift;
    },
    get page() {
      return page;
    },
    get browser() {
      return browser;
    },
    openPage,
    async logIn(account = operator, path = "", url = shift.url, on = page) {
      await on.goto(`${url}/#/${path}`);
      await on.getByLabel("Namn").fill(account.name);
      await on.getByLabel("Lösenord").fill(account.password);
      await on.keyboard.press("Enter");
      await on.getByRole("button", { name: "Logga ut" }).waitFor();
    },
  };
}
