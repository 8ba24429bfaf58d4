import { Command } from "commander";
import { type Visit, type VisitingList, type VisitPriority, visitingList } from "../alerting/visiting-list.ts";
import { print, printTable, timeOf } from "./table.ts";
import { type WithConfig, withConfig, withStore } from "./with-register.ts";

/** `fallvakt area`: what to do where gateways are silent. */
export function areaCommand(): Command {
  const command = new Command("area").description("what to do where gateways have gone silent, as in a storm");
  withConfig(command.command("visiting-list"))
    .description(
      "whom to look in at while gateways are lost, by priority, as plain text to print; by key number, without names or addresses",
    )
    .option("--all", "every dwelling with a device, whichever gateways are lost", false)
    .addHelpText(
      "after",
      `
Order: an alarm is open there; lives alone; nobody has said (fallvakt dwelling household); lives with others; watching is paused, as in hospital.

Examples:
  fallvakt area visiting-list | lpr
  fallvakt area visiting-list --all --json`,
    )
    .action(async ({ all, ...options }: WithConfig & { all: boolean }) => {
      const list = await withStore(options, ({ store, clock }) =>
        visitingList(store, Math.round(clock.wallNow()), all),
      );
      if (options.json) print(JSON.stringify(list));
      else printList(list, all);
    });
  return command;
}

const why: Record<VisitPriority, string> = {
  alarm: "ALARM OPEN",
  alone: "lives alone",
  unknown: "",
  shared: "with others",
  paused: "paused",
};

function printList({ at, gateways, visits }: VisitingList, all: boolean): void {
  if (gateways.length === 0 && !all) {
    print("No gateway is lost: nobody need be visited for that. --all lists everybody.");
    return;
  }
  print(`VISITING LIST  ${timeOf(at)}  ${visits.length} dwellings`);
  for (const { gatewayId, lostAt } of gateways) print(`gateway ${gatewayId}: silent since ${timeOf(lostAt)}`);
  print("");
  const head = ["", "", "key", "unit", "area", "why first", "gateway", "last heard of", "visited at, by"];
  printTable(head, visits.map(rowOf));
}

function rowOf({ priority, key, unit, area, gatewayId, lastSeenAt, pause }: Visit, n: number): string[] {
  const reason = pause
    ? `${why[priority]}${priority === "paused" ? "" : ", paused"}: ${pause.reason} until ${timeOf(pause.until)}`
    : why[priority];
  return [
    `${n + 1}`,
    "[ ]",
    key,
    unit ?? "",
    area ?? "",
    reason,
    gatewayId ?? "not known",
    timeOf(lastSeenAt),
    "________________",
  ];
}
