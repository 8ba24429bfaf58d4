import type { Trial } from "../../../firmware-contracts/recordings/format.ts";
import { height, width } from "./picture.ts";
import { escaped } from "./svg.ts";

export interface IndexEntry {
  file: string;
  kind: "missed fall" | "false alarm";
  told: string;
  set: string;
  trial: Trial;
}

const style = `
:root{color-scheme:light;font:15px/1.45 system-ui,"Segoe UI",Roboto,Helvetica,Arial,sans-serif;color:#0f172a;background:#f1f5f9}
body{max-width:1280px;margin:0 auto;padding:28px 20px 60px}h1{font-size:24px;margin:0 0 4px}h2{font-size:19px;margin:36px 0 4px}
h3{font-size:15px;margin:22px 0 8px;color:#334155}p,nav{color:#475569;margin:0}nav{margin-top:12px}nav a{margin-right:14px}
a{color:#1d4ed8;text-decoration:none}a:hover{text-decoration:underline}
.cards{display:grid;grid-template-columns:repeat(auto-fill,minmax(360px,1fr));gap:14px}
figure{margin:0;background:#fff;border:1px solid #dbe2ea;border-radius:10px;overflow:hidden}
img{display:block;width:100%;aspect-ratio:${width}/${height};background:#f8fafc}figcaption{padding:8px 12px 10px;font-size:13px;color:#475569}
b{color:#0f172a}.missed{color:#be123c}.false{color:#b45309}`;

/** A page that lists pictures by set and activity; it lies beside them and needs nothing else. */
export function indexPage(entries: readonly IndexEntry[], modelVersion: string): string {
  const sets = [...Map.groupBy(entries, ({ set }) => set)];
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Missed falls and false alarms</title>
<style>${style}</style>
<h1>Missed falls and false alarms</h1>
<p>Model ${escaped(modelVersion)}. ${countsOf(entries)}.</p>
<nav>${sets.map(([set], i) => `<a href="#set-${i}">${escaped(set)}</a>`).join("")}</nav>
${sets.map(([set, own], i) => section(set, own, `set-${i}`)).join("\n")}
</html>
`;
}

function section(set: string, entries: readonly IndexEntry[], anchor: string): string {
  const activities = [...Map.groupBy(entries, ({ trial }) => `${trial.label} ${trial.activity}`)].sort(([a], [b]) =>
    a < b ? -1 : 1,
  );
  return `<h2 id="${anchor}">${escaped(set)}</h2>
<p>${countsOf(entries)}.</p>
${activities
  .map(([, own]) => {
    const { activity, activityName } = own[0]!.trial;
    const name = activityName && activityName !== activity ? `${activity} · ${activityName}` : activity;
    return `<h3>${escaped(name)} (${own.length})</h3>\n<div class="cards">\n${own.map(card).join("\n")}\n</div>`;
  })
  .join("\n")}`;
}

function card({ file, kind, told, trial }: IndexEntry): string {
  const tone = kind === "missed fall" ? "missed" : "false";
  return `<figure><a href="${escaped(file)}"><img loading="lazy" src="${escaped(file)}" alt="${kind}, trial ${escaped(trial.id)}"></a>
<figcaption><b class="${tone}">${kind}</b> · <b>${escaped(trial.id)}</b> · subject ${escaped(trial.subject)}<br>${escaped(told)}</figcaption></figure>`;
}

function countsOf(entries: readonly IndexEntry[]): string {
  const missed = entries.filter(({ kind }) => kind === "missed fall").length;
  const wrong = entries.length - missed;
  return `${missed} missed ${missed === 1 ? "fall" : "falls"}, ${wrong} false ${wrong === 1 ? "alarm" : "alarms"}`;
}
