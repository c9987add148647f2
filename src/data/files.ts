/**
 * The edge to the disk: bytes in, and bytes out whole or not at all. A file is written beside its target under a
 * temporary name and renamed when complete, so an interrupted write leaves what was there before.
 */
import { randomBytes } from "node:crypto";
import { createReadStream } from "node:fs";
import { open, rename, rm, stat, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { FileError } from "../errors.ts";

/** Something to read: a name for messages and bytes in chunks. The chunks can be read once. */
export interface ByteSource {
  readonly name: string;
  readonly chunks: AsyncIterable<Uint8Array>;
}

/** Opens a file for reading. @throws FileError FILE_MISSING, FILE_READ */
export async function openBytes(path: string): Promise<ByteSource> {
  try {
    if ((await stat(path)).isDirectory()) {
      throw new FileError("FILE_READ", `${path}: is a folder. Name a file in it.`);
    }
  } catch (cause) {
    throw cause instanceof FileError ? cause : readFault(path, cause);
  }
  return { name: path, chunks: chunksOf(path) };
}

async function* chunksOf(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path, { highWaterMark: 1 << 18 })) yield chunk as Uint8Array;
  } catch (cause) {
    throw readFault(path, cause);
  }
}

/** A source of text or bytes that come from elsewhere, such as `process.stdin`. */
export function bytesFrom(chunks: AsyncIterable<Uint8Array | string>, name = "stdin"): ByteSource {
  async function* asBytes(): AsyncGenerator<Uint8Array> {
    const encoder = new TextEncoder();
    for await (const chunk of chunks) yield typeof chunk === "string" ? encoder.encode(chunk) : chunk;
  }
  return { name, chunks: asBytes() };
}

/** All bytes of a source in one piece. */
export async function collectBytes(source: ByteSource): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  let size = 0;
  for await (const part of source.chunks) {
    parts.push(part);
    size += part.length;
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/** Writes a file whole or not at all. @throws FileError FILE_WRITE; what was at `path` is then as before */
export async function writeWhole(path: string, bytes: Uint8Array | string): Promise<void> {
  const temporary = temporaryName(path);
  try {
    await refuseFolder(path);
    await writeFile(temporary, bytes, { flag: "wx" });
    await rename(temporary, path);
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined);
    throw writeFault(path, cause);
  }
}

/** A file that is being written piece by piece, in constant memory. It appears under its name on `close` only. */
export interface WholeFile {
  /** Appends. @throws FileError FILE_WRITE */
  write(bytes: Uint8Array | string): Promise<void>;
  /** Puts the file in place. @throws FileError FILE_WRITE */
  close(): Promise<void>;
  /** Gives up: nothing of it stays. Harmless after `close`. */
  discard(): Promise<void>;
}

/** Starts a file that is written whole or not at all. @throws FileError FILE_WRITE at once if its folder cannot be written */
export async function openWhole(path: string): Promise<WholeFile> {
  const temporary = temporaryName(path);
  let handle: Awaited<ReturnType<typeof open>>;
  try {
    await refuseFolder(path);
    handle = await open(temporary, "wx");
  } catch (cause) {
    throw writeFault(path, cause);
  }
  let done = false;
  const discard = async (): Promise<void> => {
    if (done) return;
    done = true;
    await handle.close().catch(() => undefined);
    await rm(temporary, { force: true }).catch(() => undefined);
  };
  const guarded = async (step: () => Promise<unknown>): Promise<void> => {
    try {
      await step();
    } catch (cause) {
      await discard();
      throw writeFault(path, cause);
    }
  };
  return {
    write: (bytes) => guarded(() => handle.writeFile(bytes)),
    close: () =>
      guarded(async () => {
        await handle.close();
        await rename(temporary, path);
        done = true;
      }),
    discard,
  };
}

function temporaryName(path: string): string {
  return join(dirname(path), `.${basename(path)}.${randomBytes(6).toString("hex")}.part`);
}

async function refuseFolder(path: string): Promise<void> {
  const there = await stat(path).catch(() => undefined);
  if (there?.isDirectory() === true) throw Object.assign(new Error("is a folder"), { code: "EISDIR" });
}

function systemCode(cause: unknown): string | undefined {
  return cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : undefined;
}

function readFault(path: string, cause: unknown): FileError {
  switch (systemCode(cause)) {
    case "ENOENT":
    case "ENOTDIR":
      return new FileError(
        "FILE_MISSING",
        `${path}: no such file. Check the path (it is looked up from ${process.cwd()}).`,
        {
          cause,
        },
      );
    case "EACCES":
    case "EPERM":
      return new FileError("FILE_READ", `${path}: may not be read. Change its permissions, or copy it.`, { cause });
    default:
      return new FileError("FILE_READ", `${path}: cannot be read (${describe(cause)}). Check the file and its disk.`, {
        cause,
      });
  }
}

function writeFault(path: string, cause: unknown): FileError {
  const advice: Readonly<Record<string, string>> = {
    ENOENT: `its folder ${dirname(path)} does not exist. Make the folder, or write elsewhere`,
    ENOTDIR: `${dirname(path)} is not a folder. Write elsewhere`,
    EISDIR: "is a folder. Add a file name to it",
    EACCES: `its folder ${dirname(path)} may not be written. Change its permissions, or write elsewhere`,
    EPERM: `its folder ${dirname(path)} may not be written. Change its permissions, or write elsewhere`,
    EROFS: "its disk is read-only. Write elsewhere",
    ENOSPC: "its disk is full. Make room, or write elsewhere",
  };
  const known = advice[systemCode(cause) ?? ""] ?? `${describe(cause)}. Write elsewhere`;
  return new FileError("FILE_WRITE", `${path}: cannot be written: ${known}.`, { cause });
}

function describe(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}
