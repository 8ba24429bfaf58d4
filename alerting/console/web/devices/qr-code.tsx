import { encode } from "uqr";

/** The light edge that a reader needs, modules (ISO/IEC 18004). */
const quietZone = 4;

/** What is dark in a code, as a path: one bar for each run in a row. */
export function darkPath(modules: readonly (readonly boolean[])[]): string {
  const bars = modules.flatMap((row, y) =>
    row.flatMap((isDark, x) => {
      if (!isDark || row[x - 1]) return [];
      const end = row.indexOf(false, x);
      const length = (end < 0 ? row.length : end) - x;
      return [`M${x} ${y}h${length}v1h-${length}z`];
    }),
  );
  return bars.join("");
}

/** A QR code, black on white also where the page is dark: a camera reads no other as surely. */
export function QrCode({ text, label }: { text: string; label: string }) {
  const { data, size } = encode(text, { ecc: "M", border: quietZone });
  return (
    <svg class="devices-qr" viewBox={`0 0 ${size} ${size}`} role="img" aria-label={label} shape-rendering="crispEdges">
      <rect width={size} height={size} fill="#fff" />
      <path d={darkPath(data)} fill="#000" />
    </svg>
  );
}
