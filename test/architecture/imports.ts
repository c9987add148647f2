import { posix } from "node:path";
import ts from "typescript";

/**
 * The checker behind imports.test.ts: reads the imports of TypeScript sources, given as path -> text, and names what
 * breaks the table of rooms, closes a ring, or is missing from the list of its family.
 */

/** Source files by their path from the project's root, with forward slashes. */
export type Sources = ReadonlyMap<string, string>;

export interface Import {
  /** As written, such as "../graph/index.ts", or undefined where it is computed. */
  readonly specifier: string | undefined;
  /** "reference" is `new URL("./worker.ts", import.meta.url)`: a dependency, but loaded by another thread. */
  readonly kind: "static" | "type" | "dynamic" | "reference";
  readonly line: number;
}

const ROOMS = {
  graph: [],
  data: [],
  tasks: [],
  campaign: ["data", "tasks"],
  engine: ["graph"],
  process: ["graph", "engine"],
  space: ["graph"],
  train: ["graph", "engine", "data", "space", "tasks", "process"],
  hardware: ["graph", "engine"],
  search: ["space", "train", "hardware", "tasks"],
  emulator: ["graph", "engine", "data"],
  analysis: ["emulator", "tasks"],
  report: ["emulator", "analysis"],
} as const satisfies Record<string, readonly string[]>;

/** The table of rooms: what each may import besides itself, `errors`, `rng` and `normal`. A place not listed here is a breach. */
export const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  errors: [],
  rng: [],
  normal: [],
  "version.ts": [],
  ...ROOMS,
  fit: [...Object.keys(ROOMS), "version.ts"],
  compare: [...Object.keys(ROOMS), "fit", "fit.ts", "query.ts"],
  "compare.ts": [...Object.keys(ROOMS), "compare", "fit"],
  "fit.ts": [...Object.keys(ROOMS), "fit", "query.ts", "version.ts"],
  "query.ts": Object.keys(ROOMS),
  "index.ts": [...Object.keys(ROOMS), "compare", "compare.ts", "fit", "fit.ts", "query.ts", "version.ts"],
  cli: ["index.ts", "version.ts", "cases"],
  cases: ["index.ts"],
  notebooks: ["index.ts", "cases"],
  bench: [
    "index.ts",
    "cases",
    "compare",
    "fit",
    "fit.ts",
    "query.ts",
    "errors",
    "normal",
    "rng",
    ...Object.keys(ROOMS),
  ],
};

/** Files whose trade is to import what they are told: a task names its module, a user a simulator. */
const COMPUTED = ["src/tasks/pool.ts", "src/campaign/module.ts"];

/** What `errors.ts` and `rng.ts` are to the insides of src/; the outer circle takes them from the index as well. */
const SERVE_ALL = ["errors", "rng", "normal"];
const OUTER = ["cli", "cases", "notebooks", "bench"];

/** Folders whose files are members of a family, each listed in the folder's index or in the room's. */
export const FAMILIES = [
  "candidates",
  "charts",
  "commands",
  "contestants",
  "optimisers",
  "readers",
  "strategies",
  "targets",
];

/** The place that a file belongs to: a room, one of the lone files of src/, or a top folder. */
export function placeOf(path: string): string {
  const parts = path.split("/");
  if (parts[0] !== "src") return parts[0] ?? path;
  const name = parts[1] ?? path;
  const alone = name.replace(/\.ts$/, "");
  return SERVE_ALL.includes(alone) ? alone : name;
}

/** Every import of `text`: static, type only, re-export, dynamic, `import("x").T`, `require`, and worker URLs. */
export function importsOf(path: string, text: string): Import[] {
  const file = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const found: Import[] = [];
  const add = (node: ts.Node, kind: Import["kind"], target: ts.Node | undefined): void => {
    if (target && ts.isConditionalExpression(target)) {
      add(node, kind, target.whenTrue);
      add(node, kind, target.whenFalse);
      return;
    }
    const line = file.getLineAndCharacterOfPosition(node.getStart(file)).line + 1;
    found.push({ specifier: target && ts.isStringLiteralLike(target) ? target.text : undefined, kind, line });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(
        node,
        node.importClause?.phaseModifier === ts.SyntaxKind.TypeKeyword ? "type" : "static",
        node.moduleSpecifier,
      );
    } else if (ts.isExportDeclaration(node) && node.moduleSpecifier) {
      add(node, node.isTypeOnly ? "type" : "static", node.moduleSpecifier);
    } else if (ts.isExternalModuleReference(node)) {
      add(node, "static", node.expression);
    } else if (ts.isImportTypeNode(node)) {
      add(node, "type", ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined);
    } else if (ts.isCallExpression(node)) {
      const isRequire = ts.isIdentifier(node.expression) && node.expression.text === "require";
      if (node.expression.kind === ts.SyntaxKind.ImportKeyword || isRequire) add(node, "dynamic", node.arguments[0]);
    } else if (ts.isNewExpression(node) && node.expression.getText(file) === "URL") {
      const [target, base] = node.arguments ?? [];
      const module = target && ts.isStringLiteralLike(target) && /\.m?[jt]s$/.test(target.text);
      if (module && base?.getText(file) === "import.meta.url") add(node, "reference", target);
    }
    ts.forEachChild(node, visit);
  };
  visit(file);
  return found;
}

/** The project file that a relative specifier names, or undefined for a package or a built-in module. */
function resolve(from: string, specifier: string): string | undefined {
  return specifier.startsWith(".") ? posix.join(posix.dirname(from), specifier) : undefined;
}

/** One line for each import that the table of rooms forbids. */
export function breaches(sources: Sources): string[] {
  const lines: string[] = [];
  for (const [path, text] of sources) {
    for (const { specifier, line } of importsOf(path, text)) {
      if (specifier === undefined && COMPUTED.includes(path)) continue;
      const fault = specifier === undefined ? "computed import: write the path out" : breach(path, specifier);
      if (fault !== undefined) lines.push(`${path}:${line}: ${fault}`);
    }
  }
  return lines;
}

function breach(path: string, specifier: string): string | undefined {
  const from = placeOf(path);
  const allowed = MAY_IMPORT[from];
  if (allowed === undefined) return `"${from}" is not in the table of rooms`;
  const target = resolve(path, specifier);
  if (target === undefined) {
    const lone = SERVE_ALL.includes(from) && !specifier.startsWith("node:");
    return lone ? `${from}.ts imports nothing, but it imports ${specifier}` : undefined;
  }
  if (!target.startsWith("src/") && !(placeOf(target) in MAY_IMPORT)) return `${specifier} is outside the rooms`;
  const to = placeOf(target);
  if (to === from && !SERVE_ALL.includes(from)) return undefined;
  if (allowed.includes(to)) return undefined;
  if (SERVE_ALL.includes(to) && !SERVE_ALL.includes(from) && !OUTER.includes(from)) return undefined;
  return `${from} may not import ${to} (${specifier})`;
}

/** Each ring of imports once, as "a.ts -> b.ts -> a.ts". Worker URLs do not count: another thread loads them. */
export function rings(sources: Sources): string[] {
  const next = new Map<string, string[]>();
  for (const [path, text] of sources) {
    const targets = importsOf(path, text)
      .filter(({ kind }) => kind !== "reference")
      .map(({ specifier }) => specifier && resolve(path, specifier))
      .filter((target) => target !== undefined && sources.has(target)) as string[];
    next.set(path, targets);
  }
  return ringsOf(next);
}

/** Each ring of a directed graph, given as node -> the nodes it leads to, once per closing edge. */
export function ringsOf(next: ReadonlyMap<string, readonly string[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const walk = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      found.push([...trail.slice(start), path].join(" -> "));
      return;
    }
    if (done.has(path)) return;
    trail.push(path);
    for (const target of new Set(next.get(path))) walk(target);
    trail.pop();
    done.add(path);
  };
  for (const path of next.keys()) walk(path);
  return found;
}

/** Members of families, and cases, that no list names; and families without a list. */
export function unlisted(sources: Sources): string[] {
  const lines: string[] = [];
  for (const path of sources.keys()) {
    const list = listFor(path, sources);
    if (list === undefined) continue;
    const text = sources.get(list);
    if (text === undefined) lines.push(`${path}: its family has no list (expected ${list})`);
    else if (!importsOf(list, text).some(({ specifier }) => specifier && resolve(list, specifier) === path)) {
      lines.push(`${path}: not listed in ${list}`);
    }
  }
  return lines;
}

/** The index that must name `path`: its folder's own or the room's. Undefined for what is no member. */
function listFor(path: string, sources: Sources): string | undefined {
  const folder = posix.dirname(path);
  const name = posix.basename(path);
  if (/^cases\/[^/]+\/index\.ts$/.test(path)) return "cases/index.ts";
  if (name === "index.ts" || !FAMILIES.includes(posix.basename(folder))) return undefined;
  const own = `${folder}/index.ts`;
  return sources.has(own) ? own : `${posix.dirname(folder)}/index.ts`;
}
