import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const isRoot = process.getuid?.() === 0;

/** True where no disk can be mounted, for `test.skipIf(lacksMount())("… (needs root)")`. In CI it throws, which fails the file. */
export function lacksMount(): boolean {
  if (!isRoot && process.env.CI) throw new Error("a disk cannot be mounted: in CI the tests run as root");
  return !isRoot;
}

/** A disk of a test's own, in memory. */
export interface SmallDisk {
  readonly folder: string;
  /** Writes until not one byte more goes in. Returns how to give the space back. */
  fill(): () => void;
  unmount(): void;
}

export function mountSmallDisk(mebibytes: number): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), "fallvakt-disk-"));
  execFileSync("mount", ["-t", "tmpfs", "-o", `size=${mebibytes}m`, "tmpfs", folder]);
  return {
    folder,
    fill() {
      const paths: string[] = [];
      // The last blocks are taken by small files: a write that needs one more page would succeed otherwise.
      for (const bytes of [1 << 20, 4096]) {
        for (let isFull = false; !isFull; ) {
          const path = join(folder, `filler-${paths.length}`);
          paths.push(path);
          try {
            writeFileSync(path, Buffer.alloc(bytes));
          } catch {
            isFull = true;
          }
        }
      }
      if (statfsSync(folder).bavail !== 0) throw new Error("the disk is not full");
      return () => {
        for (const path of paths) rmSync(path, { force: true });
      };
    },
    unmount() {
      execFileSync("umount", [folder]);
      rmSync(folder, { recursive: true });
    },
  };
}
