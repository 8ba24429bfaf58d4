/** Whole numbers seen so far, as sorted ranges [from, to] with gaps between. */
export type Ranges = [number, number][];

/** More gaps than this in one boot are a fault: the oldest numbers are forgotten, and would be taken for new if they came again. */
const maxRanges = 256;

export function hasNumber(ranges: Ranges, value: number): boolean {
  const at = rangeBefore(ranges, value);
  return at >= 0 && ranges[at]![1] >= value;
}

/** Adds one number in place. */
export function addNumber(ranges: Ranges, value: number): void {
  const at = rangeBefore(ranges, value);
  const before = ranges[at];
  const after = ranges[at + 1];
  if (before && before[1] >= value) return;
  const joinsBefore = before !== undefined && before[1] === value - 1;
  const joinsAfter = after !== undefined && after[0] === value + 1;
  if (joinsBefore && joinsAfter) {
    before[1] = after[1];
    ranges.splice(at + 1, 1);
  } else if (joinsBefore) before[1] = value;
  else if (joinsAfter) after[0] = value;
  else ranges.splice(at + 1, 0, [value, value]);
  if (ranges.length > maxRanges) ranges.shift();
}

/** Index of the last range that begins at or before `value`, or −1. Searched from the end: new numbers are mostly the highest. */
function rangeBefore(ranges: Ranges, value: number): number {
  let at = ranges.length - 1;
  while (at >= 0 && ranges[at]![0] > value) at--;
  return at;
}
