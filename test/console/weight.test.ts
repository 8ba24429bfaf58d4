import { readdirSync, statSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { lacks } from "../services/needs.ts";
import { builtPage, openBrowser } from "./console-service.ts";
import { everyAccount, firstWithin, logInAs, openPage, pagesInNavigation } from "./every-page.ts";
import { type NightShift, startNightShift } from "./night-shift.ts";

const built = fileURLToPath(new URL("../../alerting/console/web/dist/", import.meta.url));
// 250 kB for a page; a board of two hundred open episodes is 25 of them at most.
const mostKb = 225;

beforeAll(builtPage);

describe("the page's files", () => {
  const files = () =>
    readdirSync(built, { recursive: true, encoding: "utf8" }).filter((name) => statSync(`${built}${name}`).isFile());

  test("all of them together, every page of it, are light enough for one page", () => {
    const compressed = files().filter((name) => name.endsWith(".gz"));
    const kb = compressed.reduce((sum, name) => sum + statSync(`${built}${name}`).size, 0) / 1000;
    expect(compressed.length).toBeGreaterThan(2);
    expect(kb).toBeLessThan(mostKb);
  });

  test("each has its compressed ones beside it, and no font or picture is among them but the icon", () => {
    const names = files().filter((name) => !/\.(br|gz)$/.test(name));
    for (const name of names) expect(name).toMatch(/\.(html|js|css)$|^assets\/icon-[\w-]+\.svg$/);
    for (const name of names) expect(files(), name).toEqual(expect.arrayContaining([`${name}.br`, `${name}.gz`]));
  });
});

describe.skipIf(lacks("chromium"))("what the page asks for (needs chromium)", () => {
  let shift: NightShift;
  let browser: Awaited<ReturnType<typeof openBrowser>>;
  beforeAll(async () => {
    [shift, browser] = await Promise.all([startNightShift(), openBrowser()]);
  });
  afterAll(async () => {
    await browser?.close();
    await shift?.close();
  });

  test("is at its own address alone, each answer with the strict headers, and letters are the machine's own", async () => {
    const page = await browser.context.newPage();
    const origin = new URL(shift.url).origin;
    const asked = new Set<string>();
    const unsafe: string[] = [];
    page.on("request", (request) => asked.add(request.url()));
    page.on("response", (response) => {
      const headers = response.headers();
      const policy = headers["content-security-policy"] ?? "";
      if (!policy.startsWith("default-src 'none'") || headers["x-content-type-options"] !== "nosniff") {
        unsafe.push(response.url());
      }
    });
    await shift.fall("38");
    for (const account of everyAccount) {
      await logInAs(page, shift.url, account);
      for (const href of await pagesInNavigation(page)) {
        await openPage(page, shift.url, href);
        const within = await firstWithin(page, href);
        if (within) await openPage(page, shift.url, within);
      }
    }
    expect(asked.size).toBeGreaterThan(5);
    expect([...asked].filter((url) => url !== "about:blank" && new URL(url).origin !== origin)).toEqual([]);
    expect(unsafe).toEqual([]);
    expect(await page.evaluate(() => [document.fonts.size, getComputedStyle(document.body).fontFamily])).toEqual([
      0,
      "system-ui, sans-serif",
    ]);
  });

  test("an address that is not there has them too, in whatever part of the server", async () => {
    for (const path of [
      "/",
      "/nope",
      "/assets/nope.js",
      "/api/v1/nope",
      "/api/v1/openapi.json",
      "/..%2f..%2fetc/passwd",
    ]) {
      const { headers } = await fetch(`${shift.url}${path}`);
      expect(headers.get("content-security-policy"), path).toMatch(/^default-src 'none';script-src 'self';/);
      expect(headers.get("content-security-policy"), path).not.toContain("unsafe");
      expect(headers.get("x-frame-options"), path).toMatch(/DENY|SAMEORIGIN/);
    }
  });
});
