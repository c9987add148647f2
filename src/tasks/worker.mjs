// Entry of a worker thread. From source it registers the TypeScript loader first (Node 20 cannot load .ts by itself).
import { existsSync } from "node:fs";
const fromSource = existsSync(new URL("./serve.ts", import.meta.url));
if (fromSource) (await import("tsx/esm/api")).register();
const { serve } = await import(fromSource ? "./serve.ts" : "./serve.js");
serve();
