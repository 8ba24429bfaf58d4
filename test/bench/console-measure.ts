import type { BrowserContext, BrowserContextOptions, CDPSession, Page } from "playwright-core";
import { builtPage, openBrowser } from "../console/console-service.ts";
import { calmPolicy, fallInTown, settleTown } from "../console/generated-town.ts";
import { type NightShift, operator, startNightShift } from "../console/night-shift.ts";
import { installConsoleProbe } from "./console-probe.ts";

export interface ConsoleSettings {
  episodes: number;
  devices: number;
  rounds: number;
}

/** What the page is looked at with. */
interface Screen {
  name: "desktop" | "phone";
  options: BrowserContextOptions;
  /** How many times slower than this machine its processor is. */
  slowedBy: number;
}

const screens: readonly Screen[] = [
  { name: "desktop", options: { viewport: { width: 1360, height: 860 } }, slowedBy: 1 },
  { name: "phone", options: { viewport: { width: 360, height: 740 } }, slowedBy: 4 },
];

/** What one thing took in each round. */
export interface Figure {
  screen: Screen["name"];
  what: string;
  unit: "ms" | "kB" | "%";
  values: number[];
  median: number;
  limit: number;
}

export const limits = {
  paintMs: 1000,
  /** A phone whose processor is slowed down to a fourth is given what counts as good for the web's INP: https://web.dev/articles/inp. */
  interactionMs: { desktop: 100, phone: 200 },
  weightKb: 250,
  fallMs: 1000,
  restPercent: { desktop: 10, phone: 25 },
} as const;

/** So long the page is watched at rest, ms. */
const restMs = 3000;

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;

type Note = (what: string, value: number, limit: number, unit?: Figure["unit"]) => void;

/** The true service with a full town, looked at with each screen. `tell` hears how far it has come. */
export async function measureConsole(settings: ConsoleSettings, tell: (line: string) => void): Promise<Figure[]> {
  await builtPage();
  tell(`a town of ${settings.devices} devices, ${settings.episodes} open episodes`);
  const shift = await startNightShift({ policy: calmPolicy });
  try {
    await settleTown(shift, settings.devices);
    await fallInTown(shift, settings.episodes);
    const figures: Figure[] = [];
    let fallen = settings.episodes;
    for (const screen of screens) {
      const note: Note = (what, value, limit, unit = "ms") => {
        let figure = figures.find((one) => one.screen === screen.name && one.what === what);
        if (!figure) {
          figure = { screen: screen.name, what, unit, values: [], median: 0, limit };
          figures.push(figure);
        }
        figure.values.push(value);
        figure.median = median(figure.values);
      };
      const browser = await openBrowser({ ...screen.options, timezoneId: "Europe/Stockholm" });
      try {
        await browser.context.addInitScript(installConsoleProbe);
        const pages = await logIn(browser.context, shift.url);
        for (let round = 1; round <= settings.rounds; round++) {
          tell(`${screen.name}, round ${round} of ${settings.rounds}`);
          await lookAtBoard({ shift, screen, context: browser.context, newlyFallen: fallen++, pages, note });
        }
        tell(`${screen.name}, weight of each page`);
        for (const href of pages) await weighPage({ shift, screen, context: browser.context, href, note });
      } finally {
        await browser.close();
      }
    }
    return figures;
  } finally {
    await shift.close();
  }
}

/** Logs in, and returns the pages that the navigation offers, beside the board. */
async function logIn(context: BrowserContext, url: string): Promise<string[]> {
  const page = await context.newPage();
  await page.goto(url);
  await page.locator("input[name=name]").fill(operator.name);
  await page.locator("input[name=password]").fill(operator.password);
  await page.keyboard.press("Enter");
  await page.locator(".card").first().waitFor();
  const links = await page
    .locator(".pages-nav a")
    .evaluateAll((found) => found.map((link) => link.getAttribute("href") ?? ""));
  await page.close();
  return links.filter((href) => href !== "#/");
}

interface Cold {
  page: Page;
  cdp: CDPSession;
  /** Bytes that came over the wire until now. */
  weight(): number;
}

/** A page that has nothing in its cache. */
async function openCold(context: BrowserContext, screen: Screen): Promise<Cold> {
  const page = await context.newPage();
  const cdp = await context.newCDPSession(page);
  await cdp.send("Network.enable");
  await cdp.send("Performance.enable");
  await cdp.send("Network.clearBrowserCache");
  await cdp.send("Emulation.setCPUThrottlingRate", { rate: screen.slowedBy });
  const bytes = new Map<string, number>();
  const add = (id: string, more: number) => bytes.set(id, (bytes.get(id) ?? 0) + more);
  cdp.on("Network.responseReceived", ({ requestId, response }) => add(requestId, response.encodedDataLength));
  // The stream of events never finishes: what came of it is counted as it comes.
  cdp.on("Network.dataReceived", ({ requestId, encodedDataLength }) => add(requestId, encodedDataLength));
  cdp.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => bytes.set(requestId, encodedDataLength));
  return { page, cdp, weight: () => [...bytes.values()].reduce((sum, one) => sum + one, 0) };
}

interface Look {
  shift: NightShift;
  screen: Screen;
  context: BrowserContext;
  note: Note;
}

async function lookAtBoard(look: Look & { newlyFallen: number; pages: readonly string[] }): Promise<void> {
  const { shift, screen, context, newlyFallen, pages, note } = look;
  const { page, cdp, weight } = await openCold(context, screen);
  await page.goto(`${shift.url}/#/`);
  await page.locator(".card").first().waitFor();
  await page.waitForTimeout(500);
  const { first, card } = await page.evaluate(() => window.consoleProbe.paints());
  note("first paint", first, limits.paintMs);
  note("first open episode in sight", card, limits.paintMs);
  note("weight of the board", weight() / 1000, limits.weightKb, "kB");
  note("processor at rest", await shareAtRest(cdp, page), limits.restPercent[screen.name], "%");

  const open = await page.locator(".cards > .card").count();
  await watch(page, `.cards > .card:nth-child(${open + 1})`);
  const began = Date.now();
  await fallInTown(shift, 1, newlyFallen);
  note("a new fall is on the board", (await seen(page)).at - began, limits.fallMs);

  /** Does `press`, and notes how long it takes until it was answered, and until `there` is in sight. */
  async function interact(
    what: string,
    press: () => Promise<void>,
    there: string,
    gone = "",
    limit: number = limits.interactionMs[screen.name],
  ) {
    await page.evaluate(() => window.consoleProbe.slowest());
    await watch(page, there, gone);
    await press();
    note(what, (await seen(page)).sincePress, limit);
  }

  await interact("opening an episode", () => page.locator(".board .actions a").first().click(), ".detail article");
  await page.locator(".detail .timeline").waitFor();
  await interact("leaving it", () => page.locator(".detail nav a").first().click(), ".board", ".detail");
  const id = await page.locator(".board .card.open").first().getAttribute("data-episode");
  const own = `[data-episode="${id}"]`;
  await interact("taking an episode", () => page.locator(`${own} .primary`).click(), `${own}.taken`);
  await interact(
    "opening the dialog to close it",
    () => page.locator(`${own} button[aria-label^="Avsluta"]`).click(),
    "dialog[open]",
  );
  await typeKeys(page, "dialog[open] textarea", "typing a reason", note, screen);
  await page.keyboard.press("Escape");

  for (const href of pages) {
    const name = href.replace("#/", "");
    const chosen = `.pages-nav a[aria-current][href="${href}"]`;
    await interact(`to the page ${name}`, () => page.locator(`.pages-nav a[href="${href}"]`).click(), chosen);
    await page.waitForFunction(() => document.querySelector("main .waiting") === null);
    await interact(`from ${name} to the board`, () => page.locator('.pages-nav a[href="#/"]').click(), ".board .card");
    await interact(
      `to the page ${name} again, with what it shows`,
      () => page.locator(`.pages-nav a[href="${href}"]`).click(),
      `${chosen}, main h1`,
      "main .waiting",
      limits.paintMs,
    );
    if ((await page.locator("main input[type=search]").count()) > 0) {
      await typeKeys(page, "main input[type=search]", `searching in ${name}`, note, screen);
    }
    await page.locator('.pages-nav a[href="#/"]').click();
    await page.locator(".board .card").first().waitFor();
  }
  await page.close();
}

/** Types four digits, and notes the slowest. */
async function typeKeys(page: Page, into: string, what: string, note: Note, { name }: Screen): Promise<void> {
  await page.locator(into).first().focus();
  await page.evaluate(() => window.consoleProbe.slowest());
  await page.locator(into).first().pressSequentially("1019", { delay: 40 });
  note(what, await page.evaluate(() => window.consoleProbe.slowest()), limits.interactionMs[name]);
}

const watch = (page: Page, there: string, gone = "") =>
  page.evaluate(([one, other]) => window.consoleProbe.watch(one, other), [there, gone] as const);
async function seen(page: Page): Promise<{ at: number; sincePress: number }> {
  let late: ReturnType<typeof setTimeout> | undefined;
  const tooLate = new Promise<never>((_, reject) => {
    late = setTimeout(() => reject(new Error("what was waited for did not come into sight within 20 s")), 20_000);
  });
  try {
    return await Promise.race([page.evaluate(() => window.consoleProbe.seen()), tooLate]);
  } finally {
    clearTimeout(late);
  }
}

/** How much of the time the page works while nothing happens but that time passes, per cent. */
async function shareAtRest(cdp: CDPSession, page: Page): Promise<number> {
  const worked = async () =>
    (await cdp.send("Performance.getMetrics")).metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
  const before = await worked();
  await page.waitForTimeout(restMs);
  return (((await worked()) - before) * 1000 * 100) / restMs;
}

async function weighPage({ shift, screen, context, href, note }: Look & { href: string }): Promise<void> {
  const { page, weight } = await openCold(context, screen);
  await page.goto(`${shift.url}/${href}`);
  await page.waitForFunction(() => document.querySelector("main .waiting") === null);
  await page.waitForTimeout(500);
  note(`weight of ${href.replace("#/", "")}`, weight() / 1000, limits.weightKb, "kB");
  await page.close();
}
