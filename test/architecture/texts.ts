import { existsSync, readFileSync, readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The texts of all files below `folders` that end in one of `endings`, by path. */
export function readTexts(folders: readonly string[], endings: readonly string[]): Map<string, string> {
  const paths = folders.flatMap((folder) => {
    if (!existsSync(root + folder)) return [];
    const below = readdirSync(root + folder, { recursive: true, withFileTypes: true });
    return below.filter((e) => e.isFile()).map((e) => `${e.parentPath}/${e.name}`.slice(root.length));
  });
  const wanted = paths
    .map((path) => path.replaceAll("\\", "/"))
    .filter((path) => endings.some((e) => path.endsWith(e)));
  return new Map(wanted.sort().map((path) => [path, readFileSync(root + path, "utf8")]));
}
