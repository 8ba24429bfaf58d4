/** Debian's names of the machines that Node has a binary for. */
export const architectures = { x64: "amd64", arm64: "arm64" } as const;
export type NodeArch = keyof typeof architectures;

/** `0.2.0-rc.1` comes before `0.2.0`, which Debian writes with a tilde. */
export function debianVersion(version: string): string {
  return version.replace("-", "~");
}

export interface ControlFields {
  version: string;
  arch: NodeArch;
  description: string;
  installedKib: number;
}

/** DEBIAN/control. */
export function controlText({ version, arch, description, installedKib }: ControlFields): string {
  const [, summary = "", rest = ""] = /^(.*?): (.*)$/.exec(description) ?? ["", description, ""];
  return `Package: fallvakt
Version: ${debianVersion(version)}
Architecture: ${architectures[arch]}
Maintainer: Fallvakt
Section: misc
Priority: optional
Installed-Size: ${installedKib}
Depends: libc6 (>= 2.28), libstdc++6, passwd, util-linux
Recommends: systemd
Description: ${summary.replace(/^A /, "")}
 ${rest[0]?.toUpperCase() ?? ""}${rest.slice(1)}
`;
}
