import { type ReadOptions, type RecordingSet, readRecordingSet } from "../../firmware-contracts/recordings/read.ts";

/**
 * Reads what is to be played of a recording set. `placement` narrows a set to the parts worn there, and names the wearing place of parts that do not tell it;
 * together with `part` it names that part's wearing place, whatever the set says.
 */
export async function chooseRecordings(folder: string, options: ReadOptions): Promise<RecordingSet> {
  const { placement, ...rest } = options;
  if (!placement || rest.part) return readRecordingSet(folder, options);
  const told = await readRecordingSet(folder, rest);
  const silent = (where: string) => told.problems.some((problem) => problem.where === where);
  const named = await readRecordingSet(folder, options);
  const known = new Set(told.parts.map(({ part }) => part));
  const unknown = named.parts.filter(({ part }) => !known.has(part) && silent(`${folder}, part ${part}`));
  const parts = [...told.parts.filter((part) => part.placement === placement), ...unknown];
  if (parts.length === 0) {
    const worn = told.parts.map((part) => `${part.part} (${part.placement})`).join(", ");
    throw new Error(`${folder}: no part is worn at the ${placement}; it has ${worn}`);
  }
  return { dataset: told.dataset, parts, problems: named.problems };
}
