/** True where two aliases differ by one character (changed, added or lost) or by two characters swapped: staff would go to the wrong door. */
export function areSimilar(a: string, b: string): boolean {
  const [x, y] = [a.toLowerCase(), b.toLowerCase()];
  if (x === y) return true;
  if (Math.abs(x.length - y.length) > 1) return false;
  if (x.length === y.length) {
    const places = [...x].flatMap((character, i) => (character === y[i] ? [] : [i]));
    if (places.length === 1) return true;
    const [i = 0, j = 0] = places;
    return places.length === 2 && x[i] === y[j] && x[j] === y[i];
  }
  const [short, long] = x.length < y.length ? [x, y] : [y, x];
  return [...long].some((_, i) => long.slice(0, i) + long.slice(i + 1) === short);
}

/** Whether a device's id gives its dwelling's key number away, as `watch-38` does for 38: a test alarm's text tells the id, and asks for the number. */
export function tellsKey(deviceId: string, key: string): boolean {
  const wanted = key.toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
  const parts = deviceId.split("-");
  const runs = parts.flatMap((part) => part.match(/\d+|\D+/g) ?? []);
  return wanted !== "" && [...parts, ...runs].includes(wanted);
}
