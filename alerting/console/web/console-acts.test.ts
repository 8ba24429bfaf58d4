import { describe, expect, test } from "vitest";
import { generatedFall } from "../../../test/console/generated-board.ts";
import { permissionsOf, type Role } from "../roles.ts";
import { pressesFor } from "./console-acts.ts";

const now = Date.UTC(2026, 0, 14, 2, 0);
const user = (role: Role, name = "Rut") => ({
  ...{ name, role, units: null },
  permissions: [...permissionsOf({ name, role })],
});
const rut = user("responder");
const taken = { status: "taken", takenBy: "Rut", takenAt: now } as const;
const presses = (patch: object, on: "board" | "page" = "board", who = rut) => {
  const { next, others } = pressesFor(generatedFall(now, 3, patch), who, on);
  return [next, ...others];
};

describe("what can be pressed", () => {
  test("untaken: take it; 112 on its own page", () => {
    expect(presses({})).toEqual(["take"]);
    expect(presses({}, "page")).toEqual(["take", "called-112"]);
  });

  test("taken: on the way, then there; at the door that nobody opens", () => {
    expect(presses(taken)).toEqual(["on-the-way", "arrived", "cannot-get-in", "cannot"]);
    expect(presses({ ...taken, onTheWayAt: now })).toEqual(["arrived", "cannot-get-in", "cannot"]);
    expect(presses(taken, "page")).toContain("two-needed");
  });

  test("another's is given back by an operator, not by a patrol", () => {
    const others = { ...taken, takenBy: "Patrull 2" };
    expect(presses(others)).not.toContain("cannot");
    expect(presses(others, "board", user("operator", "Maria"))).toContain("cannot");
  });

  test("there: who needs help has it within reach", () => {
    expect(presses({ ...taken, status: "arrived", arrivedAt: now })).toEqual([
      null,
      "cannot-get-in",
      "two-needed",
      "called-112",
    ]);
  });

  test("a welfare alarm is gone to like a fall; to a fault nobody travels", () => {
    expect(presses({ ...taken, kind: "welfare" })).toContain("cannot-get-in");
    expect(presses({ ...taken, kind: "technical" })).toEqual([null, "cannot"]);
  });

  test("who may not act, and what is closed: nothing", () => {
    for (const role of ["manager", "auditor", "installer"] as const)
      expect(presses({}, "page", user(role))).toEqual([null]);
    expect(presses({ status: "closed", closedAt: now }, "page")).toEqual([null]);
  });
});
