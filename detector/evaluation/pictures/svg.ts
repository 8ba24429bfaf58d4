/** Text for XML and HTML. */
export function escaped(text: string): string {
  const entities: Record<string, string> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
  return text.replaceAll(/[&<>"']/g, (character) => entities[character]!);
}

/** An element; `inner` is XML already. */
export function element(name: string, attributes: Record<string, string | number>, inner = ""): string {
  const list = Object.entries(attributes).map(
    ([key, value]) => ` ${key}="${typeof value === "number" ? Number(value.toFixed(1)) : escaped(value)}"`,
  );
  return inner === "" ? `<${name}${list.join("")}/>` : `<${name}${list.join("")}>${inner}</${name}>`;
}

export function text(x: number, y: number, content: string, attributes: Record<string, string | number> = {}): string {
  return element("text", { x, y, ...attributes }, escaped(content));
}

export function line(x1: number, y1: number, x2: number, y2: number, kind: string): string {
  return element("line", { x1, y1, x2, y2, class: kind });
}

/** A path through points; null breaks it. */
export function path(points: readonly (readonly [number, number] | null)[], kind: string): string {
  let d = "";
  let broken = true;
  for (const point of points) {
    if (point) d += `${broken ? "M" : "L"}${point[0].toFixed(1)} ${point[1].toFixed(1)}`;
    broken = point === null;
  }
  return element("path", { d, class: kind });
}

/** Steps of 1, 2 or 5 times a power of ten, at most `most` of them from `from` to `to`. */
export function ticks(from: number, to: number, most: number): number[] {
  const raw = (to - from) / most;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((one) => one * power).find((one) => one >= raw)!;
  const list: number[] = [];
  for (let i = Math.ceil(from / step - 1e-9) + 0; i * step <= to + 1e-9; i++) list.push(i * step);
  return list;
}
