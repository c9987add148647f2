// Makes sure that node_modules holds what package-lock.json says, and says what it does. Plain JavaScript without
// dependencies: it runs before anything is installed. Install scripts of packages are never run, so nothing is
// downloaded but packages of the npm registry.
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const root = fileURLToPath(new URL("..", import.meta.url));
const stamp = `${root}node_modules/.condense-lock`;

/** Installs if needed. Ends the process with a message if it cannot. */
export function install() {
  checkNode();
  const lock = readFileSync(`${root}package-lock.json`, "utf8");
  const wanted = createHash("sha256").update(lock).digest("hex");
  if (readIfThere(stamp)?.trim() === wanted) return;
  if (!alreadyInstalled(JSON.parse(lock))) npmCi();
  writeFileSync(stamp, `${wanted}\n`);
}

function checkNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Condense needs Node 20.19 or later; this is ${process.version}. See https://nodejs.org.`);
  process.exit(2);
}

function readIfThere(path) {
  try {
    return readFileSync(path, "utf8");
  } catch (error) {
    if (error.code === "ENOENT") return undefined;
    throw error;
  }
}

/** Whether npm's own record of node_modules agrees with the lock, as after `npm install` by hand. */
function alreadyInstalled(lock) {
  const record = readIfThere(`${root}node_modules/.package-lock.json`);
  if (record === undefined) return false;
  const there = JSON.parse(record).packages;
  const wanted = Object.entries(lock.packages).filter(([path]) => path !== "");
  const same = wanted.every(([path, p]) =>
    there[path] ? there[path].integrity === p.integrity : p.optional || p.peer,
  );
  return same && Object.keys(there).every((path) => path in lock.packages);
}

function npmCi() {
  console.log("Installing the packages of package-lock.json with `npm ci` (some 900 MB, npm registry only) ...");
  const started = Date.now();
  const args = ["ci", "--ignore-scripts", "--no-audit", "--no-fund"];
  const options = { cwd: root, stdio: "inherit" };
  const npm = process.env.npm_execpath;
  const { status, error } = npm?.endsWith(".js")
    ? spawnSync(process.execPath, [npm, ...args], options)
    : spawnSync(`npm ${args.join(" ")}`, { ...options, shell: true });
  if (status !== 0) {
    console.error(`\`npm ${args.join(" ")}\` failed${error ? `: ${error.message}` : ` with status ${status}`}.`);
    process.exit(2);
  }
  console.log(`Installed in ${((Date.now() - started) / 1000).toFixed(0)} s.\n`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) install();
