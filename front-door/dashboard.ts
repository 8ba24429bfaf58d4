import { mkdirSync, writeFileSync } from "node:fs";

/** One picture. `influx`: InfluxQL with the series' name after it; `metrics`: PromQL with its legend. */
interface Panel {
  title: string;
  says?: string;
  kind: "timeseries" | "stat" | "bargauge";
  unit?: string;
  influx?: [query: string, alias: string][];
  metrics?: [expression: string, legend: string][];
  /** Of 24 columns. Default 8. */
  width?: number;
}

const ours = `"test" = 'false' AND $timeFilter`;
const each = "GROUP BY time($__interval)";
/** How much a counter has grown in each step of the picture. */
const grown = (metric: string, legend: string): [string, string] => [`increase(${metric}[$__rate_interval])`, legend];
const percentiles = (field: string, measurement: string): [string, string][] => [
  [`SELECT median("${field}") FROM "${measurement}" WHERE ${ours} ${each} fill(none)`, "half of them"],
  [`SELECT percentile("${field}", 90) FROM "${measurement}" WHERE ${ours} ${each} fill(none)`, "nine of ten"],
];

const rows: { title: string; panels: Panel[] }[] = [
  {
    title: "Now",
    panels: [
      {
        title: "Ready",
        kind: "stat",
        width: 4,
        metrics: [["min(fallvakt_ready)", ""]],
        says: "1 where every part is ready",
      },
      { title: "Episodes open", kind: "stat", width: 4, metrics: [["sum(fallvakt_alerting_episodes_open)", ""]] },
      { title: "Devices connected", kind: "stat", width: 4, metrics: [["sum(fallvakt_gateway_connections_open)", ""]] },
      {
        title: "Certificates: days left",
        kind: "bargauge",
        width: 6,
        metrics: [["min by (which) (fallvakt_certificate_days_left)", "{{which}}"]],
      },
      {
        title: "Events that wait for InfluxDB",
        kind: "stat",
        width: 6,
        metrics: [["sum(fallvakt_alerting_event_log_spooled)", ""]],
      },
    ],
  },
  {
    title: "Alarms",
    panels: [
      {
        title: "Falls and calls for help",
        kind: "timeseries",
        influx: [
          [
            `SELECT count("delay_ms") FROM "detection" WHERE ${ours} ${each}, "kind", "reason" fill(none)`,
            "$tag_kind: $tag_reason",
          ],
        ],
      },
      {
        title: "From the impact until alerting has it",
        kind: "timeseries",
        unit: "ms",
        influx: percentiles("delay_ms", "detection"),
      },
      {
        title: "Scores of falls",
        says: "Only of what our own detector found: a sensor that judges by itself tells none",
        kind: "timeseries",
        influx: [
          [
            `SELECT min("score") FROM "detection" WHERE ${ours} ${each}, "strength" fill(none)`,
            "lowest, $tag_strength",
          ],
        ],
      },
      {
        title: "Until somebody took it",
        kind: "timeseries",
        unit: "ms",
        influx: percentiles("since_impact_ms", "acknowledgement"),
      },
      {
        title: "Until somebody was there",
        kind: "timeseries",
        unit: "ms",
        influx: percentiles("since_impact_ms", "arrival"),
      },
      { title: "Time on the floor", kind: "timeseries", unit: "ms", influx: percentiles("floor_ms", "outcome") },
      {
        title: "Outcomes",
        kind: "timeseries",
        influx: [
          [
            `SELECT count("since_impact_ms") FROM "outcome" WHERE ${ours} ${each}, "outcome" fill(none)`,
            "$tag_outcome",
          ],
        ],
      },
      {
        title: "What happened to episodes",
        says: "not-taken, not-arrived, long-lie and their like",
        kind: "timeseries",
        influx: [[`SELECT sum("count") FROM "episode" WHERE ${ours} ${each}, "what" fill(none)`, "$tag_what"]],
      },
      {
        title: "Nobody seen to get up: seconds since the impact",
        kind: "timeseries",
        unit: "s",
        influx: [
          [`SELECT max("lying_s") FROM "episode" WHERE ${ours} AND "what" = 'long-lie' ${each} fill(none)`, "longest"],
        ],
      },
    ],
  },
  {
    title: "Texts",
    panels: [
      {
        title: "Texts to be sent",
        kind: "timeseries",
        influx: [[`SELECT count("page") FROM "page" WHERE ${ours} ${each}, "purpose" fill(none)`, "$tag_purpose"]],
      },
      {
        title: "Tries at the provider",
        kind: "timeseries",
        influx: [
          [
            `SELECT count("tries") FROM "attempt" WHERE $timeFilter ${each}, "result", "reason" fill(none)`,
            "$tag_result $tag_reason",
          ],
        ],
      },
      {
        title: "From the commit to the provider's answer",
        kind: "timeseries",
        unit: "ms",
        influx: [
          [`SELECT percentile("waited_ms", 90) FROM "attempt" WHERE $timeFilter ${each} fill(none)`, "nine of ten"],
        ],
      },
      {
        title: "Receipts",
        kind: "timeseries",
        influx: [
          [
            `SELECT count("page") FROM "receipt" WHERE ${ours} ${each}, "status", "error" fill(none)`,
            "$tag_status $tag_error",
          ],
        ],
      },
      {
        title: "Replies",
        kind: "timeseries",
        influx: [[`SELECT count("episode") FROM "reply" WHERE ${ours} ${each}, "letter" fill(none)`, "$tag_letter"]],
      },
      {
        title: "Phones lost to texts, and back",
        kind: "timeseries",
        influx: [[`SELECT sum("count") FROM "contact" WHERE $timeFilter ${each}, "state" fill(none)`, "$tag_state"]],
      },
    ],
  },
  {
    title: "Devices and gateways",
    panels: [
      {
        title: "What devices said of themselves",
        kind: "timeseries",
        influx: [[`SELECT sum("count") FROM "device" WHERE $timeFilter ${each}, "event" fill(none)`, "$tag_event"]],
      },
      {
        title: "Charge",
        kind: "bargauge",
        unit: "percent",
        influx: [[`SELECT last("battery") FROM "device" WHERE $timeFilter GROUP BY "device"`, "$tag_device"]],
      },
      {
        title: "Gateways and brokers lost, and back",
        kind: "timeseries",
        influx: [
          [
            `SELECT sum("count") FROM "gateway" WHERE $timeFilter ${each}, "gateway", "event" fill(none)`,
            "$tag_gateway $tag_event",
          ],
        ],
      },
      {
        title: "Frames",
        kind: "timeseries",
        metrics: [
          grown("fallvakt_gateway_frames_live", "live"),
          grown("fallvakt_gateway_frames_earlier", "stored"),
          grown("fallvakt_gateway_frames_duplicate", "twice"),
          grown("fallvakt_gateway_frames_missing", "missing"),
          grown("fallvakt_gateway_frames_dropped_no_consent", "dropped: no consent"),
          grown("fallvakt_gateway_frames_dropped_paused", "dropped: paused"),
        ],
      },
      {
        title: "Falls and calls told by gateways",
        kind: "timeseries",
        metrics: [
          grown("fallvakt_gateway_detections_fall", "found by us"),
          grown("fallvakt_gateway_detections_reported", "reported by a sensor"),
          grown("fallvakt_gateway_detections_help", "help"),
        ],
      },
      {
        title: "Sensors of others",
        says: "Messages of adapters' brokers, and why nothing came of some",
        kind: "timeseries",
        metrics: [
          grown("fallvakt_gateway_adapters_received", "received"),
          grown("fallvakt_gateway_adapters_nothing_not_mapped", "not mapped"),
          grown("fallvakt_gateway_adapters_nothing_bad_payload", "bad payload"),
          grown("fallvakt_gateway_adapters_nothing_retained", "retained"),
          grown("fallvakt_gateway_adapters_not_registered", "not registered"),
          grown("fallvakt_gateway_adapters_ended_lost", "broker lost"),
        ],
      },
    ],
  },
  {
    title: "What must stay at zero",
    panels: [
      {
        title: "Commits that failed",
        kind: "timeseries",
        metrics: [
          grown("fallvakt_gateway_publish_not_committed", "publishes"),
          grown("fallvakt_gateway_journal_failed", "journal"),
          grown("fallvakt_gateway_outbox_commit_failed", "outbox"),
          grown("fallvakt_alerting_intake_failed", "intake"),
          grown("fallvakt_alerting_store_not_ready", "alerting's store"),
        ],
      },
      {
        title: "Hand-over to alerting that failed",
        kind: "timeseries",
        metrics: [
          grown("fallvakt_gateway_outbox_detections_failed", "Detections"),
          grown("fallvakt_gateway_outbox_events_dropped", "events dropped"),
          grown("fallvakt_gateway_control_failed", "register"),
        ],
      },
      {
        title: "Classifier and detector",
        kind: "timeseries",
        metrics: [
          grown("fallvakt_gateway_classifier_failed", "classifier"),
          grown("fallvakt_gateway_classifier_unanswered", "windows without it"),
          grown("fallvakt_gateway_detector_failed", "detector"),
        ],
      },
      {
        title: "Texts that did not go out",
        kind: "timeseries",
        metrics: [
          grown("fallvakt_alerting_page_permanent", "refused for good"),
          grown("fallvakt_alerting_page_unknown", "unknown"),
          grown("fallvakt_alerting_receipt_undelivered", "undelivered"),
          grown("fallvakt_alerting_event_not_taken", "nobody has taken an alarm"),
        ],
      },
      {
        title: "Who knocks at the door",
        kind: "timeseries",
        metrics: [
          grown("fallvakt_gateway_connect_refused_secret", "wrong secret"),
          grown("fallvakt_gateway_connections_cut_flood", "flood"),
          grown("fallvakt_gateway_publish_refused_foreign_topic", "another's topic"),
          grown("fallvakt_alerting_webhook_bad_signature", "webhook's signature"),
          grown("fallvakt_alerting_intake_bad_token", "intake's token"),
        ],
      },
      {
        title: "Memory and the event log",
        kind: "timeseries",
        unit: "bytes",
        metrics: [
          ["fallvakt_memory_resident_bytes", "resident {{instance}}"],
          grown("fallvakt_alerting_event_log_dropped", "events dropped"),
        ],
      },
    ],
  },
];

const height = 7;
const source = (type: "prometheus" | "influxdb") => ({ type, uid: `\${${type}}` });

function panelOf(panel: Panel, id: number, x: number, y: number): object {
  const { title, says, kind, unit, influx = [], metrics = [], width = 8 } = panel;
  const isInflux = influx.length > 0;
  const targets = isInflux
    ? influx.map(([query, alias], at) => ({
        ...{
          refId: letter(at),
          datasource: source("influxdb"),
          rawQuery: true,
          query,
          alias,
          resultFormat: "time_series",
        },
      }))
    : metrics.map(([expr, legendFormat], at) => ({
        ...{ refId: letter(at), datasource: source("prometheus"), expr, legendFormat },
      }));
  return {
    ...{ id, type: kind, title, ...(says ? { description: says } : {}) },
    gridPos: { h: height, w: width, x, y },
    datasource: source(isInflux ? "influxdb" : "prometheus"),
    fieldConfig: {
      defaults: { ...(unit ? { unit } : {}), ...(kind === "timeseries" ? { min: 0 } : {}) },
      overrides: [],
    },
    options: kind === "timeseries" ? { tooltip: { mode: "multi" } } : { reduceOptions: { calcs: ["lastNotNull"] } },
    targets,
  };
}

const letter = (at: number) => String.fromCharCode(65 + at);

/** The dashboard as Grafana imports it, with its two sources as variables. */
export function dashboard(): object {
  const panels: object[] = [];
  let y = 0;
  for (const row of rows) {
    panels.push({
      id: panels.length + 1,
      type: "row",
      title: row.title,
      collapsed: false,
      gridPos: { h: 1, w: 24, x: 0, y },
      panels: [],
    });
    y += 1;
    let x = 0;
    for (const panel of row.panels) {
      const width = panel.width ?? 8;
      if (x + width > 24) {
        x = 0;
        y += height;
      }
      panels.push(panelOf(panel, panels.length + 1, x, y));
      x += width;
    }
    y += height;
  }
  const variable = (name: string, label: string) => ({
    name,
    label,
    type: "datasource",
    query: name,
    current: {},
    hide: 0,
  });
  return {
    ...{ uid: "fallvakt", title: "Fallvakt", tags: ["fallvakt"], schemaVersion: 39, version: 1, editable: true },
    ...{ time: { from: "now-7d", to: "now" }, timezone: "browser", refresh: "1m" },
    templating: { list: [variable("prometheus", "Prometheus"), variable("influxdb", "InfluxDB")] },
    panels,
  };
}

/** The file's text. */
export function dashboardFile(): string {
  return `${JSON.stringify(dashboard(), null, 2)}\n`;
}

if (import.meta.main) {
  const folder = new URL("../docs/grafana/", import.meta.url);
  mkdirSync(folder, { recursive: true });
  writeFileSync(new URL("fallvakt.json", folder), dashboardFile());
}
