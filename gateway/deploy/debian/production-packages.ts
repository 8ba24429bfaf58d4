/** What `package-lock.json` says of one installed package; its key is the folder, such as `node_modules/a/node_modules/b`. */
interface LockedPackage {
  version?: string;
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

export interface Lock {
  packages: Record<string, LockedPackage>;
}

/** Where Node finds `name` from `folder`: in its own node_modules, or in one further up. Null where the lock has none. */
function resolve(lock: Lock, folder: string, name: string): string | null {
  for (let at = folder; ; at = at.slice(0, Math.max(0, at.lastIndexOf("node_modules/") - 1))) {
    const path = `${at === "" ? "" : `${at}/`}node_modules/${name}`;
    if (lock.packages[path]) return path;
    if (at === "") return null;
  }
}

/**
 * Folders of the packages that the service needs at run time, as the lock names them, without those in `leftOut` and what only they need.
 * @throws where the lock lacks one.
 */
export function productionPackages(lock: Lock, leftOut: (name: string) => boolean): string[] {
  const found = new Set<string>();
  const visit = (folder: string, names: Iterable<string>, isOptional: boolean) => {
    for (const name of names) {
      if (folder === "" && leftOut(name)) continue;
      const path = resolve(lock, folder, name);
      if (path === null) {
        if (isOptional) continue;
        throw new Error(`package-lock.json has no ${name}, which ${folder || "fallvakt"} needs; run npm install`);
      }
      if (found.has(path)) continue;
      found.add(path);
      const { dependencies = {}, optionalDependencies = {}, peerDependencies = {} } = lock.packages[path] ?? {};
      visit(path, Object.keys(dependencies), false);
      visit(path, [...Object.keys(optionalDependencies), ...Object.keys(peerDependencies)], true);
    }
  };
  visit("", Object.keys(lock.packages[""]?.dependencies ?? {}), false);
  // A package inside another's folder comes along with that folder.
  return [...found].filter((path) => ![...found].some((other) => path.startsWith(`${other}/`))).sort();
}
