import type { Page } from "playwright-core";
import { afterEach, describe, expect, test } from "vitest";
import { masterKeySource } from "../../alerting/store/master-key-file.ts";
import { openSqliteStore } from "../../alerting/store/sqlite.ts";
import { keepPastFall } from "../alerting/past-episode.ts";
import { lacks } from "../services/needs.ts";
import { openBrowser } from "./console-service.ts";
import { manager, operator, otherPatrol, patrol, responders } from "./night-shift.ts";
import { useStage } from "./stage.ts";
import { openWire, type Wire } from "./wire.ts";

const day = 24 * 3_600_000;

describe.skipIf(lacks("chromium"))("an episode in a browser (needs chromium)", () => {
  const stage = useStage(
    {},
    { responders: [...responders, { id: "keys", name: "Nyckelpatrull", phone: "+46701740605" }], keyHolders: ["keys"] },
  );
  const undo: (() => unknown)[] = [];
  afterEach(async () => {
    for (const one of undo.splice(0).reverse()) await one();
  });

  const card = (key: string, on = stage.page) =>
    on.locator(".board article", { has: on.getByText(`Nyckel ${key}`, { exact: true }) });
  const press = (name: string, on: Page) => on.getByRole("button", { name, exact: true }).click();

  test("the picture has the impact where the evidence has it, with what was still and when it was judged, and says so in words", async () => {
    const { page, shift } = stage;
    await shift.fall("38");
    await stage.logIn();
    await page.getByRole("link", { name: "Visa mer, Nyckel 38" }).click();
    const plot = page.locator(".plot[data-marks]");
    await plot.waitFor();
    const seen = await plot.evaluate((element: HTMLElement) => {
      const canvas = element.querySelector("canvas")!;
      const over = element.querySelector(".u-over")!.getBoundingClientRect();
      const left = over.left - canvas.getBoundingClientRect().left;
      const { data, width } = canvas.getContext("2d")!.getImageData(0, 0, canvas.width, canvas.height);
      const colour = getComputedStyle(canvas).getPropertyValue("--impact").trim();
      const wanted = [1, 3, 5].map((from) => Number.parseInt(colour.slice(from, from + 2), 16));
      const columns = new Map<number, number>();
      for (let at = 0; at < data.length; at += 4) {
        if (!wanted.every((value, index) => data[at + index] === value) || data[at + 3] !== 255) continue;
        const x = (at / 4) % width;
        columns.set(x, (columns.get(x) ?? 0) + 1);
      }
      const [[most = -1] = []] = [...columns].toSorted((a, b) => b[1] - a[1]);
      const perPx = canvas.width / canvas.getBoundingClientRect().width;
      return { impactAt: most / perPx - left, width: over.width, marks: JSON.parse(element.dataset.marks!) };
    });
    // The picture goes from −4 s to 5.98 s around the hardest hit.
    const x = (seconds: number) => ((seconds + 4) / 9.98) * seen.width;
    expect(Math.abs(seen.impactAt - x(0))).toBeLessThan(2.5);
    const marked = (what: string) => seen.marks.find((mark: { what: string }) => mark.what === what);
    expect(Math.abs(marked("impact").from - x(0))).toBeLessThan(2);
    expect(Math.abs(marked("still").from - x(2.5))).toBeLessThan(2);
    expect(Math.abs(marked("decided").from - x(2.5))).toBeLessThan(2);

    // Below it how the score moved: the one that decided lies over the line from which the alarm goes at once.
    const scores = page.locator(".plot[data-levels]");
    await scores.waitFor();
    const levels = JSON.parse((await scores.getAttribute("data-levels")) ?? "{}");
    expect(levels.judged).toBeLessThan(levels.strong);
    expect(levels.strong).toBeLessThan(levels.medium);
    const text = (await page.locator("aside.detail").textContent()) ?? "";
    for (const part of [
      "Högst var den 0,97, vid 0 s. Ringen är poängen som avgjorde, 0,97. Från 0,42 är den ett tecken på fall, från 0,88",
      "Sensorn mätte en hård stöt på 4,5 g",
      "gav rörelsen 0,97",
      "starka tecken på fall",
      "Stilla från 2,5 till",
      "Nästan tyngdlös från −0,3 till",
      "Poäng 0,97",
    ]) {
      expect(text).toContain(part);
    }
    await page.getByText("Visa rörelsen som tabell").click();
    const table = page.getByRole("table", { name: /Total rörelse i varje sekund/ });
    expect(await table.getByRole("row").count()).toBe(11);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    await page.getByLabel("Språk").selectOption("en");
    await page.getByText("Why this alarmed").waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });

  test("at a door that nobody opens: taken on one phone it shows on another in a second, and K calls key holder and leader", {
    timeout: 60_000,
  }, async () => {
    const { page, shift } = stage;
    await shift.fall("38");
    await shift.fall("57");
    await stage.logIn(operator);
    await card("38").waitFor();
    // Rut's own phone.
    const other = await openBrowser({ viewport: { width: 360, height: 740 }, timezoneId: "Europe/Stockholm" });
    undo.push(() => other.close());
    const phone = await other.context.newPage();
    await stage.logIn(patrol, "", shift.url, phone);
    await press("Ta larmet, Nyckel 38", phone);
    await card("38")
      .getByText(/Taget av Rut/)
      .waitFor({ timeout: 1000 });
    await press("På väg, Nyckel 38", phone);
    await card("38")
      .getByText(/På väg sedan/)
      .waitFor({ timeout: 1000 });
    // An operator may give back what another has, a patrol only its own; nobody's buttons are a manager's.
    expect(
      await card("57", phone)
        .getByRole("button", { name: /Kan inte/ })
        .count(),
    ).toBe(0);

    await press("Kommer inte in, Nyckel 38", phone);
    await card("38").getByText("KOMMER INTE IN: Rut står utanför.").waitFor({ timeout: 1000 });
    const { code } = shift.episode("38")!;
    for (const id of ["keys", "leader"]) {
      const call = () => shift.phone(id).inbox.find(({ body }) => body.includes(`${code} KOMMER INTE IN`));
      await expect.poll(call, { timeout: 5000 }).toBeDefined();
      expect(call()!.body).toContain("Personal står utanför. Åk dit nu.");
    }
    expect(shift.episode("38")).toMatchObject({ status: "taken", backup: { need: "cannot-get-in", by: "Rut" } });
    await shift.phone("keys").reply(`${code} T`);
    await card("38", phone).getByText("Kommer: Nyckelpatrull.").waitFor();

    await press("Markera framme, Nyckel 38", phone);
    await press("Ångra, Nyckel 38", phone);
    await card("38", phone).getByText("ångrat.").waitFor();
    expect(shift.episode("38")?.status).toBe("taken");
    await press("Markera framme, Nyckel 38", phone);
    await press("112 är larmat, Nyckel 38", phone);
    await card("38").getByText("112 LARMAT").waitFor();
    expect(shift.episode("38")?.status).toBe("arrived");

    // The texts, letter by letter as the phones got them, and nobody's number.
    await phone.getByRole("link", { name: "Visa mer, Nyckel 38" }).click();
    await phone.getByRole("heading", { name: /Skickade sms/ }).waitFor();
    const shown = await phone.locator(".episode-texts blockquote").allTextContents();
    for (const id of ["patrol-2", "keys", "leader"]) {
      const got = shift
        .phone(id)
        .inbox.filter(({ body }) => body.includes(code))
        .map(({ body }) => body);
      expect(got.length).toBeGreaterThan(0);
      for (const body of got) expect(shown).toContain(body);
    }
    const id = shift.episode("38")!.id;
    const answers = await phone.evaluate(
      async (of) =>
        (
          await Promise.all(
            [`${of}`, `${of}/record`].map((path) => fetch(`/api/v1/episodes/${path}`).then((a) => a.text())),
          )
        ).join(),
      id,
    );
    expect(answers).toContain("KOMMER INTE IN");
    expect(answers).not.toMatch(/\+46/);

    // Whoever only looks has no buttons; another unit's patrol sees nothing of it.
    const buttons = (on: Page) => on.locator("main button").count();
    await press("Logga ut", page);
    await stage.logIn(manager);
    await card("38").waitFor();
    expect(await card("38").getByRole("button").count()).toBe(0);
    await press("Logga ut", page);
    await stage.logIn(otherPatrol, `episodes/${id}`);
    await page.getByText("Larmet finns inte").waitFor();
    expect(await buttons(page)).toBe(0);
  });

  test("ten minutes without contact: when it is back the page lists what happened, until somebody has read it", async () => {
    const { page, shift } = stage;
    await shift.fall("38");
    await shift.fall("57");
    const wire: Wire = await openWire(shift.port);
    undo.push(() => wire.close());
    await page.clock.install();
    await stage.logIn(operator, "", `http://127.0.0.1:${wire.port}`);
    await card("57").waitFor();
    wire.silence();
    await page.clock.fastForward("10:00");
    await page.getByText("INGEN KONTAKT MED SERVERN").waitFor();

    const { id, code } = shift.episode("38")!;
    await expect.poll(() => shift.phone("patrol-2").inbox.length).toBeGreaterThanOrEqual(2);
    await shift.phone("patrol-2").reply(`${code} F`);
    await shift.phone("patrol-2").reply(`${code} U`);
    await shift.phone("patrol-2").reply(`${shift.episode("57")!.code} T`);
    await shift.fall("826");
    wire.restore();
    // Its clock goes on in steps, as a phone's does that was in a pocket.
    const missed = page.getByRole("region", { name: /3 larm ändrades medan kontakten var borta/ });
    await expect
      .poll(
        async () => {
          await page.clock.fastForward(500);
          return missed.count();
        },
        { timeout: 8000 },
      )
      .toBe(1);
    const items = await missed.getByRole("listitem").allTextContents();
    expect(items[0]).toMatch(/Nyckel 826.*nytt larm.*EJ TAGET/);
    expect(items.find((item) => item.includes("Nyckel 57"))).toMatch(/taget av Patrull 2 \d\d:\d\d/);
    expect(items.find((item) => item.includes("Nyckel 38"))).toMatch(
      /framme \d\d:\d\d, avslutat av Patrull 2 \d\d:\d\d: Oskadd men hjälpt upp/,
    );
    await card("826").waitFor();
    expect(await page.getByText("INGEN KONTAKT MED SERVERN").count()).toBe(0);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
    // It waits for whoever was away from the screen.
    await page.clock.fastForward("02:00");
    expect(await missed.count()).toBe(1);
    await missed.getByRole("link", { name: /Nyckel 38/ }).click();
    await page.waitForURL(`**/#/episodes/${encodeURIComponent(id)}`);
    await page.getByRole("button", { name: "Jag har läst" }).click();
    expect(await missed.count()).toBe(0);
  });

  test("an alarm of three days ago is found by its key number and opened, with its movement and its texts", {
    timeout: 60_000,
  }, async () => {
    const { page, shift } = stage;
    await shift.stop();
    const store = openSqliteStore(shift.dataDir, masterKeySource(shift.config, shift.dataDir));
    const openedAt = Date.now() - 3 * day;
    await keepPastFall(store, { id: "past-1", openedAt, responderId: "patrol-2" });
    for (let i = 0; i < 35; i++) {
      const place = { alias: "57", area: null, areaInTexts: false, room: null, unit: "Gustavsberg" };
      await keepPastFall(store, { id: `more-${i}`, openedAt: openedAt + (i + 1) * 60_000, about: { place } });
    }
    await store.close();
    await shift.start();
    await stage.logIn(patrol);
    await page.getByText("Inga öppna larm.").waitFor();
    await page.getByRole("link", { name: "Tidigare larm" }).click();
    const found = page.locator(".episode-past li");
    await expect.poll(() => found.count()).toBe(30);
    await page.getByRole("button", { name: "Visa äldre" }).click();
    await expect.poll(() => found.count()).toBe(36);
    await page.getByLabel("Nyckelnummer").fill("Nyckel 38");
    await page.getByRole("button", { name: "Visa", exact: true }).click();
    await expect.poll(() => found.count()).toBe(1);
    expect(await found.textContent()).toMatch(
      /Nyckel 38.*FALL.*Oskadd men hjälpt upp.*Taget efter 1 min, framme efter 1 min/,
    );
    await found.getByRole("link").click();
    await page.locator(".plot[data-marks]").waitFor();
    await page.getByRole("heading", { name: "Skickade sms (3)" }).waitFor();
    const text = (await page.locator("aside.detail").textContent()) ?? "";
    for (const part of ["Avslutat av Patrull 2", "ALARM 274 till patrol-2", "levererat", "Varför det larmade"]) {
      expect(text).toContain(part);
    }
    // It is read alone.
    expect(await page.locator("aside.detail .actions button").count()).toBe(0);
    await page.getByRole("link", { name: "Till tidigare larm" }).click();
    await page.getByRole("heading", { name: "Tidigare larm" }).waitFor();
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  });
});
