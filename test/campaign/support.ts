/** A folder that goes away, and simulators for tests: small programs that Node runs. */
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

export async function makeFolder() {
  const path = await realpath(await mkdtemp(join(tmpdir(), "campaign-test-")));
  return {
    path,
    at: (name: string): string => join(path, name),
    async write(name: string, content: string): Promise<string> {
      await writeFile(join(path, name), content);
      return join(path, name);
    },
    remove: () => rm(path, { recursive: true, force: true }),
  };
}

export type Folder = Awaited<ReturnType<typeof makeFolder>>;

/** Node as a word of a command. */
export const node = process.execPath;
