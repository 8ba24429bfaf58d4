/** The columns of a device list. `deviceId`, `placement` and `key` must be there; the others may be missing or empty. */
const columns = ["deviceId", "placement", "key", "area", "room", "unit", "consentBy", "leadsOut"] as const;

export interface CsvDevice {
  line: number;
  values: Partial<Record<(typeof columns)[number], string>>;
}

/**
 * Reads a device list: the first line names the columns; separated by commas or semicolons (as Swedish spreadsheets write); RFC 4180 quotes.
 * @throws with line and mend where it is no such list.
 */
export function readDeviceCsv(text: string): CsvDevice[] {
  const rows = splitCsv(text.replace(/^\uFEFF/, ""));
  const [head, ...body] = rows;
  if (!head) throw new Error(`the list is empty; its first line names the columns: ${columns.join(",")}`);
  const named = head.cells.map((cell) => columns.find((column) => column.toLowerCase() === cell.trim().toLowerCase()));
  for (const [i, cell] of head.cells.entries()) {
    if (!named[i]) throw new Error(`line 1: "${cell}" is no column; known are ${columns.join(", ")}`);
  }
  for (const needed of ["deviceId", "placement", "key"] as const) {
    if (!named.includes(needed)) throw new Error(`line 1: the column ${needed} is missing`);
  }
  return body.map(({ line, cells }) => {
    if (cells.length !== named.length) {
      throw new Error(`line ${line}: ${cells.length} values where the first line names ${named.length} columns`);
    }
    const values: CsvDevice["values"] = {};
    for (const [i, cell] of cells.entries()) {
      const column = named[i];
      if (column && cell.trim()) values[column] = cell.trim();
    }
    return { line, values };
  });
}

function splitCsv(text: string): { line: number; cells: string[] }[] {
  const separator = /^[^\n,]*;/.test(text) ? ";" : ",";
  const rows: { line: number; cells: string[] }[] = [];
  let cells: string[] = [];
  let cell = "";
  let quoted = false;
  let line = 1;
  let startLine = 1;
  const endRow = () => {
    cells.push(cell);
    if (cells.some((value) => value.trim())) rows.push({ line: startLine, cells });
    cells = [];
    cell = "";
  };
  for (let i = 0; i < text.length; i++) {
    const character = text[i] as string;
    if (character === "\n") line++;
    if (quoted) {
      if (character !== '"') cell += character;
      else if (text[i + 1] === '"') {
        cell += '"';
        i++;
      } else quoted = false;
    } else if (character === '"') quoted = true;
    else if (character === separator) {
      cells.push(cell);
      cell = "";
    } else if (character === "\n") {
      endRow();
      startLine = line;
    } else if (character !== "\r") cell += character;
  }
  if (quoted) throw new Error(`line ${startLine}: a quote is opened and never closed`);
  endRow();
  return rows;
}
