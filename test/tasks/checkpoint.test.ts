import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileError } from "../../src/errors.ts";
import { folderStore } from "../../src/tasks/index.ts";

let folder: string;
beforeEach(async () => {
  folder = join(await mkdtemp(join(tmpdir(), "condense-checkpoint-")), "deeper", "still");
});
afterEach(async () => {
  await rm(join(folder, "..", ".."), { recursive: true, force: true });
});

describe("folderStore()", () => {
  it("gives back what was written: typed arrays, numbers beyond JSON, nothing", async () => {
    const store = folderStore(folder);
    const value = {
      weights: Float32Array.of(1.5, Number.NaN, -0),
      wide: Float64Array.of(1e300),
      rows: Int32Array.of(-1, 2),
      best: Number.POSITIVE_INFINITY,
      architecture: null,
      lists: [[0, 1], []],
    };
    await store.write("state", value);
    // Another process would make its own store.
    expect(await folderStore(folder).read("state")).toEqual(value);
    expect(await store.read("other")).toBeUndefined();
  });

  it("writes a part of a larger buffer as just that part", async () => {
    const store = folderStore(folder);
    await store.write("part", new Float32Array(10_000).fill(1).subarray(3, 5));
    expect(await store.read("part")).toEqual(Float32Array.of(1, 1));
    expect((await readFile(join(folder, "part.bin"))).length).toBeLessThan(100);
  });

  it("replaces a value whole, and leaves no other files", async () => {
    const store = folderStore(folder);
    await store.write("state", new Float32Array(1000));
    await store.write("state", 1);
    expect(await store.read("state")).toBe(1);
    expect(await readdir(folder)).toEqual(["state.bin"]);
  });

  it("keeps the last whole value where writing broke off", async () => {
    const store = folderStore(folder);
    await store.write("state", "whole");
    await writeFile(join(folder, "state.bin.part"), "half of");
    expect(await store.read("state")).toBe("whole");
  });

  it("says which file is damaged, and what to do", async () => {
    const store = folderStore(folder);
    await store.write("state", [1, 2, 3]);
    const path = join(folder, "state.bin");
    const bytes = await readFile(path);
    for (const damaged of [bytes.subarray(0, bytes.length - 2), Buffer.from("not a checkpoint"), Buffer.alloc(0)]) {
      await writeFile(path, damaged);
      const error: unknown = await store.read("state").catch((thrown: unknown) => thrown);
      expect(error).toBeInstanceOf(FileError);
      expect(error).toMatchObject({
        code: "FILE_DAMAGED",
        message: `${path}: not a checkpoint of this version. Remove ${folder} and start again.`,
      });
    }
  });

  it("says where it cannot write", async () => {
    await folderStore(folder).write("state", 1);
    const blocked = join(folder, "state.bin");
    await expect(folderStore(blocked).write("more", 1)).rejects.toMatchObject({ code: "FILE_WRITE" });
    await expect(folderStore(blocked).write("more", 1)).rejects.toThrow(`${blocked}: cannot write a checkpoint`);
  });

  it("removes everything, and does not mind an empty place", async () => {
    const store = folderStore(folder);
    await store.clear();
    await store.write("state", 1);
    await store.clear();
    expect(await store.read("state")).toBeUndefined();
  });
});
