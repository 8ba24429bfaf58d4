import { mkdir, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { Command } from "commander";
import type { BrowserContextOptions, Page } from "playwright-core";
import { builtPage, openBrowser } from "./console-service.ts";
import { everyAccount, firstWithin, logInAs, openPage, pagesInNavigation } from "./every-page.ts";
import { type GeneratedNight, playNight } from "./generated-night.ts";
import { operator } from "./night-shift.ts";
import { smallerPicture } from "./smaller-picture.ts";

// `npm run -s screenshots`: every page of the console at a quarter past three in a generated night.

interface Look {
  name: string;
  language: "sv" | "en";
  options: BrowserContextOptions;
}

const phone: BrowserContextOptions = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 };
const desktop: BrowserContextOptions = { viewport: { width: 1360, height: 860 } };
const looks: readonly Look[] = [
  { name: "phone-sv-dark", language: "sv", options: { ...phone, colorScheme: "dark" } },
  { name: "phone-en-light", language: "en", options: { ...phone, colorScheme: "light" } },
  { name: "desktop-sv-light", language: "sv", options: { ...desktop, colorScheme: "light" } },
  { name: "desktop-en-dark", language: "en", options: { ...desktop, colorScheme: "dark" } },
];

interface Picture {
  file: string;
  bytes: number;
}

/** Takes the pictures of one look into `folder`. */
async function takeAll(night: GeneratedNight, { name, language, options }: Look, folder: string): Promise<Picture[]> {
  const { url } = night.shift;
  const taken: Picture[] = [];
  const browser = await openBrowser({ ...options, timezoneId: "Europe/Stockholm" });
  try {
    await browser.context.clock.install({ time: night.clock.wallNow() });
    await browser.context.addInitScript((chosen) => localStorage.setItem("fallvakt.language", chosen), language);
    const page = await browser.context.newPage();
    const isPhone = name.startsWith("phone");
    async function take(what: string, whole = isPhone): Promise<void> {
      const { width, height } = options.viewport!;
      const isDialog = (await page.locator("dialog[open]").count()) > 0;
      // A screen as tall as the page: what is out of sight may not have been drawn.
      const full = await page.evaluate(() => document.documentElement.scrollHeight);
      if (whole && !isDialog) await page.setViewportSize({ width, height: Math.max(height, full) });
      await page.waitForTimeout(100);
      const file = join(folder, `${name}-${what}.png`);
      const picture = smallerPicture(await page.screenshot());
      await writeFile(file, picture);
      await page.setViewportSize({ width, height });
      taken.push({ file, bytes: picture.length });
    }
    async function fresh(account = operator as (typeof everyAccount)[number]): Promise<void> {
      await logInAs(page, url, account);
    }

    await page.goto(url);
    await page.locator("input[name=name]").waitFor();
    await take("login");
    const seen = new Set<string>();
    for (const account of everyAccount) {
      await fresh(account);
      for (const href of (await pagesInNavigation(page)).filter((one) => !seen.has(one))) {
        seen.add(href);
        const what = href === "#/" ? "board" : href.replace("#/", "");
        await openPage(page, url, href);
        await settled(page);
        await take(what, false);
        if (isPhone) await take(`${what}-whole`);
        const within = await firstWithin(page, href);
        if (!within) continue;
        await openPage(page, url, within);
        await settled(page);
        const one = what === "board" ? "episode" : `${what}-one`;
        await take(one, false);
        if (isPhone) await take(`${one}-whole`);
      }
    }
    await fresh();
    await page.locator(".board .card").first().locator("button.secondary").last().click();
    await page.locator("dialog[open]").waitFor();
    await take("close", false);
    await page.keyboard.press("Escape");
    await browser.context.setOffline(true);
    await page.locator(".lost").waitFor();
    await take("no-contact", false);
  } finally {
    await browser.close();
  }
  return taken;
}

/** What comes after the text, such as a plot, is there. */
async function settled(page: Page): Promise<void> {
  await page.waitForLoadState("networkidle", { timeout: 1000 }).catch(() => undefined);
  await page.waitForTimeout(300);
}

interface Options {
  look?: string;
  json?: boolean;
}

const program = new Command("screenshots")
  .description(
    "take pictures of every page of the console, from generated data: both languages, phone and desktop, dark and light",
  )
  .argument("[folder]", "where they go", "docs/pictures")
  .option("--look <name>", `only one of ${looks.map(({ name }) => name).join(", ")}`)
  .option("--json", "print one JSON object instead of a list")
  .addHelpText(
    "after",
    `
The true service plays the first half of a night on a simulated phone network; Chromium looks at it. About a minute.

Examples:
  $ npm run -s screenshots
  $ npm run -s screenshots -- pictures --look phone-sv-dark`,
  )
  .action(async (folder: string, { look, json }: Options) => {
    const chosen = looks.filter(({ name }) => look === undefined || name === look);
    if (chosen.length === 0)
      throw new Error(`there is no look ${look}; there are ${looks.map(({ name }) => name).join(", ")}`);
    const to = resolve(folder);
    await mkdir(to, { recursive: true });
    await builtPage();
    process.stderr.write("playing the night …\n");
    const night = await playNight();
    try {
      const pictures: Picture[] = [];
      for (const one of chosen) {
        process.stderr.write(`${one.name} …\n`);
        pictures.push(...(await takeAll(night, one, to)));
      }
      if (json) console.log(JSON.stringify({ pictures }, null, 2));
      else for (const { file, bytes } of pictures) console.log(`${file} ${Math.ceil(bytes / 1000)} kB`);
    } finally {
      await night.close();
    }
  });

try {
  await program.parseAsync();
} catch (error) {
  process.stderr.write(`screenshots: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}
