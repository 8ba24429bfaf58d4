import { mkdir } from "node:fs/promises";
import { join, resolve } from "node:path";
import type { BrowserContextOptions, Page } from "playwright-core";
import { systemClock } from "../../firmware-contracts/clock.ts";
import { builtPage, openBrowser, serveConsole } from "./console-service.ts";
import { createGeneratedBackend, generatedNight, operator } from "./generated-board.ts";

/** `node test/console/screenshots.ts OUTDIR`: the console's pages from generated data, in both languages, on phone and desktop, light and dark. */
const outDir = process.argv[2];
if (!outDir) throw new Error("Say where the pictures go: node test/console/screenshots.ts OUTDIR");
const folder = resolve(outDir);
await mkdir(folder, { recursive: true });
await builtPage();

// A night shift's hour, whenever the pictures are made.
const real = systemClock();
const night = Date.UTC(2026, 0, 14, 2, 16, 5) - real.wallNow();
const clock = { ...real, wallNow: () => real.wallNow() + night };

const phone: BrowserContextOptions = { viewport: { width: 360, height: 740 }, deviceScaleFactor: 2 };
const desktop: BrowserContextOptions = { viewport: { width: 1360, height: 860 } };
const looks: [name: string, language: "sv" | "en", BrowserContextOptions][] = [
  ["phone-sv-dark", "sv", { ...phone, colorScheme: "dark" }],
  ["phone-en-light", "en", { ...phone, colorScheme: "light" }],
  ["desktop-sv-light", "sv", { ...desktop, colorScheme: "light" }],
  ["desktop-en-dark", "en", { ...desktop, colorScheme: "dark" }],
];

for (const [name, language, options] of looks) {
  const backend = createGeneratedBackend(clock, generatedNight(clock.wallNow()));
  const service = await serveConsole(backend, clock, language);
  const browser = await openBrowser({ ...options, timezoneId: "Europe/Stockholm" });
  try {
    const page = await browser.context.newPage();
    const take = (what: string, fullPage = false) =>
      page.screenshot({ path: join(folder, `${name}-${what}.png`), fullPage });
    await page.goto(service.url);
    await page.locator("input[name=name]").waitFor();
    await take("login");
    await logIn(page);
    await page.locator(".card").first().waitFor();
    await take("board", name.startsWith("phone"));
    await page.locator(".card.open").locator("a.button").click();
    await page.locator(".plot canvas").waitFor();
    await take("episode", name.startsWith("phone"));
    await page
      .getByRole("button", { name: language === "sv" ? /^Avsluta larmet/ : /^Close the alarm/ })
      .first()
      .click();
    await page.locator("dialog[open]").waitFor();
    await take("close");
    await page.keyboard.press("Escape");
    await page.goto(`${service.url}/#/`);
    await service.close();
    await page.locator(".lost").waitFor();
    await take("no-contact");
  } finally {
    await browser.close();
    await service.close();
  }
}

async function logIn(page: Page): Promise<void> {
  await page.locator("input[name=name]").fill(operator.name);
  await page.locator("input[name=password]").fill(operator.password);
  await page.locator("button[type=submit]").click();
}
