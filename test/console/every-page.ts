import type { Page } from "playwright-core";
import { auditor, installer, manager, operator, patrol, type TestAccount } from "./night-shift.ts";

/** Forgets the session of whoever looks at the page. It is left first: an answer that comes late would set the cookie again. */
export async function logOut(page: Page): Promise<void> {
  await page.goto("about:blank");
  await page.context().clearCookies();
}

/** Logs in on a page in whatever language it is, instead of whoever is there. */
export async function logInAs(page: Page, url: string, account: TestAccount): Promise<void> {
  for (let tries = 0; tries < 3; tries++) {
    await logOut(page);
    await page.goto(url);
    await page.locator("input[name=name], header").first().waitFor();
    if ((await page.locator("header").count()) === 0) break;
  }
  await page.locator("input[name=name]").fill(account.name);
  await page.locator("input[name=password]").fill(account.password);
  await page.keyboard.press("Enter");
  await page.locator("header").waitFor();
  await shown(page);
}

/** Resolves when the page has what it shows. */
export async function shown(page: Page): Promise<void> {
  await page.locator("main").waitFor();
  await page.waitForFunction(() => document.querySelector("main .waiting") === null);
}

/** The pages that the account that is logged in may see, by the navigation: `#/`, `#/shift` …; where it has none, what it sees. */
export async function pagesInNavigation(page: Page): Promise<string[]> {
  const links = await page
    .locator(".pages-nav a")
    .evaluateAll((all) => all.map((one) => one.getAttribute("href") ?? ""));
  return links.length > 0 ? links : ["#/"];
}

/** Opens a page of the navigation. */
export async function openPage(page: Page, url: string, href: string): Promise<void> {
  await page.goto(`${url}/${href}`);
  await shown(page);
}

/** The first link from a page to something of its own, such as one resident; null where it has none. */
export async function firstWithin(page: Page, href: string): Promise<string | null> {
  const prefix = href === "#/" ? "#/episodes/" : `${href}/`;
  const links = page.locator(`main a[href^="${prefix}"]:visible`);
  return (await links.count()) > 0 ? links.first().getAttribute("href") : null;
}

/** Of every page that there is, whoever is the first to see it. */
export const everyAccount: readonly TestAccount[] = [operator, manager, auditor, installer, patrol];
