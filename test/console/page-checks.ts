import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

// As text: the page's Content-Security-Policy lets no script in that the server did not send, a debugger's evaluation it does.
const axeSource = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

interface AxeResult {
  violations: { id: string; impact: string; nodes: { target: string[]; failureSummary: string }[] }[];
}

/** What axe-core finds serious or critical, each with where; by all of its rules, or these alone. */
export async function axeProblems(page: Page, rules?: string[]): Promise<string[]> {
  if (!(await page.evaluate(() => "axe" in window))) await page.evaluate(axeSource);
  const { violations } = await page.evaluate(
    (only) =>
      (window as unknown as { axe: { run(options: object): Promise<AxeResult> } }).axe.run({
        resultTypes: ["violations"],
        ...(only ? { runOnly: only } : { rules: { "target-size": { enabled: true } } }),
      }) as Promise<AxeResult>,
    rules,
  );
  return violations
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) =>
      nodes.map(({ target, failureSummary }) => `${id}: ${target.join(" ")}: ${failureSummary}`),
    );
}

/** What makes the page wider than the screen; empty where nothing does. */
export function widerThanScreen(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const width = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= width) return [];
    const told = (one: Element) => `${one.tagName.toLowerCase()}.${one.className}: ${one.textContent?.slice(0, 40)}`;
    const wide = [...document.querySelectorAll("body *")].filter(
      (one) => one.getBoundingClientRect().right > width + 1,
    );
    // Its innermost ones say what it is.
    const innermost = wide.filter((one) => !wide.some((other) => other !== one && one.contains(other)));
    return [`the page is ${document.documentElement.scrollWidth} wide`, ...innermost.map(told)];
  });
}

/** What a thumb cannot hit: less than 44 px in a direction. A link within a sentence is let through, as its line is no taller. */
export function smallTargets(page: Page): Promise<string[]> {
  return page.evaluate(() => {
    const least = 44;
    const found: string[] = [];
    for (const one of document.querySelectorAll<HTMLElement>("a[href], button, select, textarea, input, summary")) {
      if (!one.checkVisibility({ visibilityProperty: true }) || one.closest(".skip, .unseen, [inert]")) continue;
      const inModal = document.querySelector("dialog[open]");
      if (inModal && !inModal.contains(one)) continue;
      const parent = one.parentElement;
      const isInline = getComputedStyle(one).display === "inline";
      const says = (one.textContent ?? "").trim();
      if (one.tagName === "A" && isInline && (parent?.textContent ?? "").trim().length > says.length) continue;
      // A box to tick is hit by its label as well.
      const isBox = one instanceof HTMLInputElement && (one.type === "radio" || one.type === "checkbox");
      const { width, height } = ((isBox && one.closest("label")) || one).getBoundingClientRect();
      if (width >= least - 0.5 && height >= least - 0.5) continue;
      const name = one.getAttribute("aria-label") ?? (says || one.getAttribute("name"));
      found.push(`${one.tagName.toLowerCase()} "${name}" is ${Math.round(width)} × ${Math.round(height)}`);
    }
    return found;
  });
}

/** Presses Tab through the whole page. Tells what it does not reach, what does not show that it has the focus, and what is hidden when it has it. */
export async function tabProblems(page: Page): Promise<string[]> {
  const waiting = await page.evaluate(() => {
    const scope = document.querySelector("dialog[open]") ?? document;
    const all = [
      ...scope.querySelectorAll<HTMLElement>("a[href], button, select, textarea, input, summary, [tabindex='0']"),
    ];
    const radios = new Set<string>();
    const reachable = all.filter((one) => {
      if (!one.checkVisibility({ visibilityProperty: true }) || one.matches(":disabled, [tabindex='-1']")) return false;
      if (!(one instanceof HTMLInputElement) || one.type !== "radio") return true;
      // Of a group, Tab goes to the chosen one, else to the first; the arrows reach the others.
      const chosen = all.find((other) => other instanceof HTMLInputElement && other.name === one.name && other.checked);
      const isFirst = chosen ? chosen === one : !radios.has(one.name);
      radios.add(one.name);
      return isFirst;
    });
    for (const [index, one] of reachable.entries()) one.dataset.tabCheck = String(index);
    (document.activeElement as HTMLElement | null)?.blur();
    if (!(scope instanceof HTMLDialogElement)) {
      document.body.tabIndex = -1;
      document.body.focus();
      document.body.removeAttribute("tabindex");
    }
    return reachable.map(
      (one) => `${one.tagName.toLowerCase()} "${one.getAttribute("aria-label") ?? one.textContent}"`,
    );
  });
  const reached = new Set<number>();
  const problems: string[] = [];
  // A date has several stops of its own.
  for (let tab = 0; tab < waiting.length + 60 && reached.size < waiting.length; tab++) {
    await page.keyboard.press("Tab");
    const focused = await page.evaluate(() => {
      const one = document.activeElement;
      if (!(one instanceof HTMLElement || one instanceof SVGElement) || one === document.body) return null;
      const style = getComputedStyle(one);
      // A drawing's group has its shape's edge drawn instead.
      const edge = one instanceof SVGElement ? one.querySelector("rect") : null;
      const isEdged = edge !== null && Number.parseFloat(getComputedStyle(edge).strokeWidth) >= 2;
      const box = one.getBoundingClientRect();
      const [x, y] = [box.left + box.width / 2, box.top + Math.min(box.height / 2, 20)];
      const top = document.elementFromPoint(x, y);
      return {
        index: Number(one.dataset.tabCheck ?? -1),
        shows: isEdged || (style.outlineStyle !== "none" && Number.parseFloat(style.outlineWidth) >= 2),
        covered: !(top && (one.contains(top) || top.contains(one) || one.closest("label")?.contains(top))),
      };
    });
    // Between the last and the first the browser itself has the focus.
    if (!focused || focused.index < 0) continue;
    if (reached.has(focused.index)) continue;
    reached.add(focused.index);
    if (!focused.shows) problems.push(`does not show that it has the focus: ${waiting[focused.index]}`);
    if (focused.covered) problems.push(`is covered when it has the focus: ${waiting[focused.index]}`);
  }
  const missed = waiting.filter((_, index) => !reached.has(index));
  await page.evaluate(() => {
    for (const one of document.querySelectorAll<HTMLElement>("[data-tab-check]")) delete one.dataset.tabCheck;
  });
  return [...problems, ...missed.map((one) => `Tab does not reach ${one}`)];
}

/** What is animated now. */
export function moving(page: Page): Promise<string[]> {
  return page.evaluate(() =>
    document
      .getAnimations()
      .filter(({ playState }) => playState === "running")
      .map(({ effect }) => String((effect as KeyframeEffect | null)?.target?.className)),
  );
}
