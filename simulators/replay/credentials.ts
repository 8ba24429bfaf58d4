import { Placement } from "../../firmware-contracts/detection.ts";
import { DeviceId } from "../../firmware-contracts/topics.ts";

/** A device as the gateway's registry has it, with its secret. */
export interface Credential {
  deviceId: string;
  secret: string;
  /** Where it is worn; null: the file does not say, and any recording may be played on it. */
  placement: Placement | null;
}

/**
 * Reads a CSV of devices: `deviceId,secret` or `deviceId,secret,placement` in each line; a first line with these names (in any order, other columns beside them) tells the columns.
 * Throws with the line's number where a line cannot be used.
 */
export function readCredentials(csv: string, name: string): Credential[] {
  const rows = csv
    .replace(/^\uFEFF/, "")
    .split(/\r?\n/)
    .map((line, index) => ({ cells: line.split(/[,;]/).map(unquoted), line, number: index + 1 }))
    .filter(({ line }) => line.trim() !== "" && !line.startsWith("#"));
  let columns = ["deviceId", "secret", "placement"];
  if (rows[0]?.cells.includes("deviceId")) columns = rows.shift()?.cells ?? columns;
  const seen = new Set<string>();
  return rows.map(({ cells, number }) => {
    const cell = (column: string) => cells[columns.indexOf(column)] ?? "";
    const where = `${name}, line ${number}`;
    const deviceId = DeviceId.safeParse(cell("deviceId"));
    if (!deviceId.success) throw new Error(`${where}: the device id must be ${deviceId.error.issues[0]?.message}`);
    if (seen.has(deviceId.data)) throw new Error(`${where}: ${deviceId.data} is there twice`);
    seen.add(deviceId.data);
    const secret = cell("secret");
    if (!secret) throw new Error(`${where}: no secret for ${deviceId.data}; a line is deviceId,secret`);
    const placement = cell("placement") ? Placement.safeParse(cell("placement")) : null;
    if (placement && !placement.success) {
      throw new Error(`${where}: the placement is one of ${Placement.options.join(", ")}`);
    }
    return { deviceId: deviceId.data, secret, placement: placement?.data ?? null };
  });
}

function unquoted(cell: string): string {
  return cell.trim().replace(/^"(.*)"$/, "$1");
}
