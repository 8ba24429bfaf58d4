import { execFileSync, spawnSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

function productFiles(): string[] {
  return execFileSync("git", ["ls-files", "-co", "--exclude-standard", "*.ts", "*.tsx"], {
    cwd: root,
    encoding: "utf8",
  })
    .split("\n")
    .filter((path) => path && !path.endsWith(".test.ts") && !path.startsWith("test/"));
}

/** Who may import whom, as design of the folders has it: everything not listed is refused by Biome's rules in biome.json. */
const refused: [from: string, to: string][] = [
  ["firmware-contracts", "detector/detector.ts"],
  ["firmware-contracts", "gateway/gateway.ts"],
  ["firmware-contracts", "alerting/alerting.ts"],
  ["firmware-contracts", "simulators/device/device.ts"],
  ["detector", "gateway/gateway.ts"],
  ["detector", "alerting/alerting.ts"],
  ["detector", "simulators/device/device.ts"],
  ["gateway", "alerting/alerting.ts"],
  ["gateway", "simulators/device/device.ts"],
  ["alerting", "gateway/gateway.ts"],
  ["alerting", "detector/detector.ts"],
  ["alerting", "simulators/device/device.ts"],
  ["simulators", "gateway/gateway.ts"],
  ["simulators", "detector/detector.ts"],
  ["simulators", "alerting/alerting.ts"],
];

describe("imports follow the arrows", () => {
  function biomeOn(...paths: string[]): string {
    const { stdout, stderr } = spawnSync(
      join(root, "node_modules/.bin/biome"),
      [
        "lint",
        "--only=style/noRestrictedImports",
        "--only=suspicious/noImportCycles",
        "--max-diagnostics=none",
        ...paths,
      ],
      { cwd: root, encoding: "utf8" },
    );
    return `${stdout}${stderr}`;
  }

  test("the tree as it is has no import against the arrows, and no circle", () => {
    const said = biomeOn("firmware-contracts", "detector", "gateway", "alerting", "simulators");
    expect(said).toMatch(/Checked \d{2,} files/);
    expect(said).not.toMatch(/noRestrictedImports|noImportCycles/);
  });

  test("every import against the arrows is refused, tried by planting one of each", () => {
    const planted = refused.map(([from, to]) => ({
      path: join(from, `planted-${to.replaceAll(/\W/g, "-")}.ts`),
      source: `import * as wrong from "../${to}";\nexport const planted = wrong;\n`,
    }));
    let said = "";
    try {
      for (const { path, source } of planted) writeFileSync(join(root, path), source);
      said = biomeOn(...planted.map(({ path }) => path));
    } finally {
      for (const { path } of planted) rmSync(join(root, path), { force: true });
    }
    const letThrough = planted.filter(
      ({ path }) => !new RegExp(`${path}:1:\\d+ lint/style/noRestrictedImports`).test(said),
    );
    expect(letThrough.map(({ path }) => path)).toEqual([]);
  });
});

describe("time, chance and I/O stay in their places", () => {
  /** The only places that read the machine's time or wait by it: the clock itself, and the page in the browser. */
  const clocks = [/^firmware-contracts\/clock\.ts$/, /^alerting\/console\/web\//, /^vitest\.config\.ts$/];
  const readsTime = /\b(Date\.now|performance\.now|new Date\(\)|setTimeout\(|setInterval\(|Math\.random)/;

  test("nothing but the clock reads the machine's time, waits by it, or draws lots", () => {
    const offenders = productFiles()
      .filter((path) => !clocks.some((clock) => clock.test(path)))
      .flatMap((path) =>
        readFileSync(join(root, path), "utf8")
          .split("\n")
          .flatMap((line, index) => (readsTime.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [])),
      );
    expect(offenders).toEqual([]);
  });

  /** The pure core: state machines and decoders, which take `now` and return what to do. */
  const pureCore = [
    "firmware-contracts/binary.ts",
    "firmware-contracts/frame.ts",
    "firmware-contracts/topics.ts",
    "firmware-contracts/reports.ts",
    "detector/detector.ts",
    "detector/presence/roster.ts",
    "detector/presence/fusion.ts",
    "detector/presence/habits.ts",
    "detector/presence/welfare.ts",
    "alerting/blind-time/causes.ts",
    "alerting/blind-time/blind-time.ts",
    "alerting/blind-time/strip.ts",
    "alerting/episode.ts",
    "alerting/escalation.ts",
    "alerting/ladder.ts",
    "alerting/backup.ts",
    "alerting/replies.ts",
    "alerting/rota/local-time.ts",
    "alerting/rota/pattern.ts",
    "alerting/rota/changes.ts",
    "alerting/rota/shifts.ts",
    "alerting/rota/sign-ons.ts",
    "alerting/rota/change-requests.ts",
    "alerting/rota/calendar.ts",
    "alerting/rota/week.ts",
    "alerting/rota/previews.ts",
    "alerting/rota/faults.ts",
    "alerting/dry-run.ts",
    "alerting/shift/handover.ts",
    "alerting/shift/handover-alarms.ts",
    "alerting/shift/handover-dwellings.ts",
    "alerting/shift/handover-text.ts",
    "alerting/shift/fall-report.ts",
    "alerting/shift/phones.ts",
    "alerting/shift/shift-spans.ts",
    "gateway/ingest/watching.ts",
    "gateway/presence/dwellings.ts",
    "gateway/presence/dwelling-welfare.ts",
  ];

  test.each(pureCore)("%s does no I/O", (path) => {
    const source = readFileSync(join(root, path), "utf8");
    expect(source).not.toMatch(/from "node:(fs|net|http|https|timers|child_process|sqlite)/);
    expect(source).not.toMatch(/\basync\b|\bawait\b/);
  });
});

test("what gateways follow is changed in one place, which raises the version and writes the history", () => {
  const raising = productFiles().filter((path) =>
    /UPDATE control\b|INTO control_changes/.test(readFileSync(join(root, path), "utf8")),
  );
  expect(raising.sort()).toEqual(["alerting/store/control.ts", "alerting/store/migrations.ts"]);
});

test("who is on a patrol is known to the rota, its store, its commands and the shift's page alone: no text, event or log can hold it", () => {
  const knowing = productFiles().filter((path) => /\bcrews?\b/i.test(readFileSync(join(root, path), "utf8")));
  const allowed =
    /^(alerting\/rota\/|alerting\/store\/(rota|migrations)\.ts$|front-door\/(rota|with-rotas)|alerting\/shift\/phones\.ts$|alerting\/console\/(shift|web\/shift|web\/messages\/(sv|en))\/)/;
  expect(knowing.filter((path) => !allowed.test(path))).toEqual([]);
  expect(knowing.length).toBeGreaterThan(3);
});

test("every folder tells what it is in a README", () => {
  for (const folder of ["firmware-contracts", "detector", "gateway", "alerting", "simulators", "test"]) {
    expect(readFileSync(join(root, folder, "README.md"), "utf8").length).toBeGreaterThan(400);
  }
});

describe("a small machine loads what it needs, and nothing else", () => {
  /** Prints each file that importing the modules loads, and then ends, whatever they have begun. */
  const listing = `
    import { registerHooks } from "node:module";
    registerHooks({
      load(url, context, next) {
        if (url.startsWith("file:")) console.log(url);
        return next(url, context);
      },
    });`;
  function loadedBy(...modules: string[]): string[] {
    const imports = modules.map((path) => `await import(${JSON.stringify(join(root, path))});`).join("\n");
    const program = ["--import", `data:text/javascript,${encodeURIComponent(listing)}`, "--input-type=module"];
    const { stdout } = spawnSync(process.execPath, [...program, "-e", `${imports}\nprocess.exit(0);`], {
      cwd: root,
      encoding: "utf8",
    });
    return stdout.split("\n").filter(Boolean);
  }
  const ofPackage = (name: string) => new RegExp(`/node_modules/${name}/`);

  test("the gateway's role knows nothing of alerting's libraries", () => {
    const loaded = loadedBy("front-door/start.ts", "detector/classifier/classifier.ts", "gateway/gateway.ts");
    expect(loaded.some((url) => ofPackage("aedes").test(url))).toBe(true);
    for (const name of ["twilio", "axios", "influx", "fastify", "ical-generator", "mqtt", "@tensorflow"]) {
      expect(loaded.filter((url) => ofPackage(name).test(url))).toEqual([]);
    }
  });

  test.each(["gateway/outbox/tables.ts", "gateway/candidates/tables.ts", "alerting/store/sqlite.ts"])(
    "the thread of %s has no schemas",
    (path) => {
      const loaded = loadedBy(path);
      expect(loaded.some((url) => url.endsWith(path))).toBe(true);
      expect(loaded.filter((url) => ofPackage("zod").test(url))).toEqual([]);
    },
  );
});
