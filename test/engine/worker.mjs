// Entry of the worker threads of workers.test.ts: plain JavaScript, because Node 20 cannot load TypeScript by itself.
import { register } from "tsx/esm/api";

register();
await import("./worker.ts");
