import { z } from "zod";
import type { EpisodeInput } from "../episode-state.ts";
import { type ChainCheck, chainBeginning, checkChain, linkHash } from "../store/chain.ts";
import type { AuditEntry, ChainEntry, ChainName, Store } from "../store/store.ts";

const chains: readonly ChainName[] = ["episodes", "acts"];
/** Entries read at once. */
const batch = 500;

const Head = z.object({ seq: z.number().int(), hash: z.string() });

/** The first line of an export: where each chain begins in it, so that a part of the log can be checked too. */
export const ExportHead = z.object({
  format: z.literal("fallvakt-audit-1"),
  exportedAt: z.number().int(),
  from: z.number().nullable(),
  to: z.number().nullable(),
  after: z.object({ episodes: Head, acts: Head }),
});

/** Each further line. `digest` stands for what is stored, which the export does not hold; null in entries of before entries were sealed. */
export const ExportLine = z.object({
  chain: z.enum(["episodes", "acts"]),
  seq: z.number().int(),
  at: z.number(),
  subject: z.string(),
  digest: z.string().nullable(),
  hash: z.string(),
  /** What it was, without identities; null where it was erased. */
  what: z.record(z.string(), z.unknown()).nullable(),
});
export type ExportLine = z.infer<typeof ExportLine>;

/** What of an input tells nobody's identity. Whatever is not named here stays out. */
const plainKeys = [
  ...[
    "type",
    "purpose",
    "pageId",
    "tries",
    "responderId",
    "letter",
    "minutes",
    "mayReopen",
    "status",
    "errorCode",
    "lost",
  ],
  ...["at", "upright", "jumpMs"],
] as const;

/** An input of an episode without identities. */
export function describeInput(input: EpisodeInput): Record<string, unknown> {
  const all = input as unknown as Record<string, unknown>;
  const plain = Object.fromEntries(
    plainKeys.flatMap((key) => (["string", "number", "boolean"].includes(typeof all[key]) ? [[key, all[key]]] : [])),
  );
  if (input.type === "page-result") return { ...plain, result: input.result };
  if (input.type === "console") {
    const { action } = input.action;
    return { ...plain, action, role: input.user.role };
  }
  if (input.type === "handed-on") return { ...plain, to: input.to, role: input.user.role };
  return plain;
}

/**
 * Both chains as lines of JSON, without identities: who did something is numbered, by order of appearance. `from` and `to` are wall times, ms; what lies
 * between the first and the last entry of that time is exported, so that the chain has no hole.
 */
export async function* exportAudit(
  store: Pick<Store, "audit">,
  options: { now: number; from?: number | undefined; to?: number | undefined },
): AsyncGenerator<string> {
  const { from = null, to = null, now } = options;
  const ranges = {
    episodes: await rangeOf(store, "episodes", from, to),
    acts: await rangeOf(store, "acts", from, to),
  };
  const after = { episodes: ranges.episodes.after, acts: ranges.acts.after };
  yield JSON.stringify({ format: "fallvakt-audit-1", exportedAt: Math.round(now), from, to, after });
  const people = new Map<string, string>();
  for (const chain of chains) {
    const { after: start, last } = ranges[chain];
    for await (const entry of entriesOf(store, chain, start.seq)) {
      if (entry.seq > last) break;
      const { seq, at, subject, digest, hash } = entry;
      const what = entry.act ? describeAct(entry.act, people) : entry.input ? describeInput(entry.input) : null;
      yield JSON.stringify({ chain, seq, at, subject, digest, hash, what } satisfies ExportLine);
    }
  }
}

function describeAct(act: Omit<AuditEntry, "at">, people: Map<string, string>): Record<string, unknown> {
  const { by, ...rest } = act;
  if (by !== null && !people.has(by)) people.set(by, `person-${people.size + 1}`);
  return { ...rest, by: by === null ? null : people.get(by) };
}

async function* entriesOf(store: Pick<Store, "audit">, chain: ChainName, after: number): AsyncGenerator<ChainEntry> {
  for (let seq = after; ; ) {
    const entries = await store.audit.entries(chain, seq, batch);
    yield* entries;
    const last = entries.at(-1);
    if (!last) return;
    seq = last.seq;
  }
}

/** From the first entry of a time to the last; a clock that jumped leaves others between. */
async function rangeOf(
  store: Pick<Store, "audit">,
  chain: ChainName,
  from: number | null,
  to: number | null,
): Promise<{ after: z.infer<typeof Head>; last: number }> {
  let before = { seq: 0, hash: chainBeginning };
  let after = before;
  let last = 0;
  for await (const { seq, at, hash } of entriesOf(store, chain, 0)) {
    if ((from === null || at >= from) && (to === null || at <= to)) {
      if (last === 0) after = before;
      last = seq;
    }
    before = { seq, hash };
  }
  return { after, last };
}

export interface ExportCheck {
  episodes: ChainCheck;
  acts: ChainCheck;
  /** Entries of before entries were sealed: their hashes are taken on trust. */
  onTrust: number;
}

/** Checks an export by itself. @throws where it is none. */
export function checkExport(text: string): ExportCheck {
  const [first = "", ...rest] = text.split("\n").filter((line) => line.trim() !== "");
  const head = ExportHead.safeParse(parsed(first));
  if (!head.success) throw new Error("this is no export of `fallvakt audit export`: its first line is not one's head");
  const lines = rest.map((line, i) => {
    const read = ExportLine.safeParse(parsed(line));
    if (!read.success) throw new Error(`line ${i + 2} is no entry of a log`);
    return read.data;
  });
  const check = (chain: ChainName) =>
    checkChain(
      lines.filter((line) => line.chain === chain),
      (previous, { digest, ...link }) => (digest === null ? link.hash : linkHash(previous, { ...link, digest })),
      head.data.after[chain],
    );
  const onTrust = lines.filter(({ digest }) => digest === null).length;
  return { episodes: check("episodes"), acts: check("acts"), onTrust };
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}
