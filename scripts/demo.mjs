// `npm run demo`: installs what is missing, then runs the demonstration (scripts/demo.ts).
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { install } from "./install.mjs";

install();
const root = fileURLToPath(new URL("..", import.meta.url));
const args = ["--import", "tsx", "scripts/demo.ts", ...process.argv.slice(2)];
const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: "inherit" });
process.exitCode = status ?? 1;
