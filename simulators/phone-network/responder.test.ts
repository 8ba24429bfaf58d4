import { describe, expect, test } from "vitest";
import type { Clock } from "../../firmware-contracts/clock.ts";
import type { InboxMessage, Phone } from "./phone.ts";
import { readText, startPatrol } from "./responder.ts";

describe("a text is read in both languages", () => {
  test.each([
    [
      "LARM FALL 274. Nyckel 38, Söder, badrum. Hårt fall 03.12. Svara: 274 T = tar larmet.",
      "page",
      "274",
      "Nyckel 38",
    ],
    ["ALARM FALL 5274. Key 38, south. Hard fall 03:12. Reply: 5274 T = I take it.", "page", "5274", "Key 38"],
    ["LARM HJÄLP 274. Nyckel 38. Tryckte på larmknappen 03.12. Svara: 274 T", "page", "274", "Nyckel 38"],
    ["274 Nyckel 38: DU HAR LARMET sedan 03.13. Svara 274 F när du är framme.", "taken-by-me", "274", "Nyckel 38"],
    ["274 Key 38: YOU HAVE THE ALARM since 03:13. Reply 274 F when there.", "taken-by-me", "274", "Key 38"],
    ["274 Nyckel 38 är taget av Patrull 2 kl 03.13. Du behöver inte åka.", "taken-by-other", "274", "Nyckel 38"],
    ["274 Key 38 was taken by Patrol 2 at 03:13. You need not go.", "taken-by-other", "274", "Key 38"],
    ["LARM 274 EJ TAGET. Nyckel 38, Söder. Fall 03.12. Svara 274 T.", "not-taken", "274", "Nyckel 38"],
    ["ALARM 274 NOT TAKEN. Key 38, south. Fall 03:12. Reply 274 T.", "not-taken", "274", "Key 38"],
    ["274 Key 38: noted that you cannot. If that changes, reply 274 T.", "other", "274", "Key 38"],
    ["PÅMINNELSE 274 Nyckel 38: taget 03.13 men ingen är framme. Svara 274 T om du åker.", "other", "274", "Nyckel 38"],
    ["LARM 274 INGEN FRAMME. Nyckel 38, Söder. Taget 03.13. Svara 274 T.", "page", "274", "Nyckel 38"],
    ["LARM 274 KOMMER INTE IN. Nyckel 38, Söder. Svara 274 T.", "page", "274", "Nyckel 38"],
    ["PROVLARM 722, inget fall. Nyckel 38, Söder. Svara 722 T = tar det.", "page", "722", "Nyckel 38"],
    ["TEST ALARM 722 Key 38: YOU HAVE IT since 03:13. Reply 722 F.", "taken-by-me", "722", "Key 38"],
    ["274 framme 03.31. Hur gick det? Svara 274 och S = skada.", "there", "274", "framme 03"],
  ])("%s", (text, kind, code, alias) => {
    expect(readText(text, 0)).toMatchObject({ kind, code, alias });
  });

  test("a text without a code is none", () => expect(readText("Välkommen!", 0)).toBeNull());
});

/** A clock that stands still until it is moved. */
function handClock() {
  let now = 0;
  const due: { at: number; run: () => void }[] = [];
  const clock: Clock = {
    wallNow: () => now,
    monotonicNow: () => now,
    after(ms, run) {
      const entry = { at: now + ms, run };
      due.push(entry);
      return () => void (due.includes(entry) && due.splice(due.indexOf(entry), 1));
    },
  };
  function forward(ms: number): void {
    const end = now + ms;
    for (let rounds = 0; rounds < 1000; rounds++) {
      const next = due.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (!next) break;
      due.splice(due.indexOf(next), 1);
      now = next.at;
      next.run();
    }
    now = end;
  }
  return { clock, forward };
}

function phoneInHand() {
  const listeners = new Set<(message: InboxMessage) => void>();
  const replies: string[] = [];
  const phone: Phone = {
    number: "+46701740605",
    inbox: [],
    reply: async (text) => {
      replies.push(text);
      return null;
    },
    behave: () => {},
    behaveOnce: () => {},
    onMessage(listener) {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
  };
  const receive = (body: string) => {
    for (const listener of listeners) listener({ at: 0, from: "+46766860000", body, sid: "SM" });
  };
  return { phone, replies, receive };
}

const page = "LARM FALL 274. Nyckel 38, badrum. Svara: 274 T = tar larmet, 274 N = kan inte.";
const mine = "274 Nyckel 38: DU HAR LARMET sedan 03.13. Svara 274 F när du är framme.";

describe("a patrol", () => {
  test("takes a page, arrives once it has the alarm, and tells the outcome", () => {
    const { clock, forward } = handClock();
    const { phone, replies, receive } = phoneInHand();
    const patrol = startPatrol({
      clock,
      phone,
      takeAfterMs: 20_000,
      arriveAfterMs: 300_000,
      outcomeAfterMs: 60_000,
      outcome: ({ alias }) => (alias === "Nyckel 38" ? "S" : "X"),
    });
    receive(page);
    forward(19_999);
    expect(replies).toEqual([]);
    forward(1);
    expect(replies).toEqual(["274 T"]);
    forward(600_000);
    expect(replies).toEqual(["274 T"]);
    receive(mine);
    receive(mine);
    forward(300_000);
    expect(replies).toEqual(["274 T", "274 F"]);
    forward(60_000);
    expect(replies).toEqual(["274 T", "274 F", "274 S"]);
    expect([...patrol.closed]).toEqual(["274"]);
    receive(page);
    forward(20_000);
    expect(replies.at(-1)).toBe("274 T");
  });

  test("does not answer a page that another took meanwhile, until it is paged again", () => {
    const { clock, forward } = handClock();
    const { phone, replies, receive } = phoneInHand();
    startPatrol({ clock, phone, takeAfterMs: 20, arriveAfterMs: null });
    receive(page);
    receive("274 Nyckel 38 är taget av Patrull 2 kl 03.13. Du behöver inte åka.");
    forward(20);
    expect(replies).toEqual([]);
    receive(page);
    forward(20);
    expect(replies).toEqual(["274 T"]);
  });

  test("answers N or nothing where it is told to, and stops when stopped", () => {
    const { clock, forward } = handClock();
    const { phone, replies, receive } = phoneInHand();
    let letter: "N" | null = "N";
    const patrol = startPatrol({ clock, phone, takeAfterMs: 10, arriveAfterMs: null, answer: () => letter });
    receive(page);
    forward(10);
    receive("274 Nyckel 38: du kan inte, noterat. Ändras det: svara 274 T.");
    forward(10);
    letter = null;
    receive(page);
    forward(10);
    expect(replies).toEqual(["274 N"]);
    letter = "N";
    receive(page);
    patrol.stop();
    forward(10);
    expect(replies).toEqual(["274 N"]);
  });
});
