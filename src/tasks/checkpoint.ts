/**
 * Checkpoints: values written whole under a key, so that a fit killed at any moment goes on where it was. Values are
 * structured-cloned (typed arrays stay typed arrays). Edge file: it touches the disk.
 */
import { mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { FileError } from "../errors.ts";

export interface CheckpointStore {
  read(key: string): Promise<unknown>;
  write(key: string, value: unknown): Promise<void>;
  /** Removes everything. */
  clear(): Promise<void>;
}

/** A store that is a folder with one file per key. @param folder made when first written to */
export function folderStore(folder: string): CheckpointStore {
  const path = (key: string): string => join(folder, `${key}.bin`);
  return {
    async read(key) {
      let bytes: Buffer;
      try {
        bytes = await readFile(path(key));
      } catch {
        return undefined;
      }
      try {
        return deserialize(bytes) as unknown;
      } catch (cause) {
        throw new FileError(
          "FILE_DAMAGED",
          `${path(key)}: not a checkpoint of this version. Remove ${folder} and start again.`,
          { cause },
        );
      }
    },
    async write(key, value) {
      const part = `${path(key)}.part`;
      try {
        await mkdir(folder, { recursive: true });
        await writeFile(part, serialize(value));
        await rename(part, path(key));
      } catch (cause) {
        throw new FileError(
          "FILE_WRITE",
          `${folder}: cannot write a checkpoint (${String(cause)}). Choose another --out.`,
          { cause },
        );
      }
    },
    clear: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The value kept under `key`, or else the result of `make`, kept for the next time if `worth` says so. */
export async function keep<Value>(
  store: CheckpointStore | undefined,
  key: string,
  make: () => Promise<Value>,
  worth: (value: Value) => boolean = () => true,
): Promise<Value> {
  const kept = (await store?.read(key)) as Value | undefined;
  if (kept !== undefined) return kept;
  const made = await make();
  if (worth(made)) await store?.write(key, made);
  return made;
}
