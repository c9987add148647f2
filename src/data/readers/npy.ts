/**
 * NumPy's NPY (format 1 to 3) and NPZ. The first axis counts runs; what is left is the shape of a field, so an array
 * `Te.npy` of shape (500,) is a column Te, one of shape (500, 22, 38) is a field. The name is that of the file, or of
 * the entry in an NPZ; a structured array names its columns itself.
 */
import { unzipSync } from "fflate";
import { DataError, FileError } from "../../errors.ts";
import { fieldColumns } from "../fields.ts";
import { collectBytes } from "../files.ts";
import { makeTable, numberColumn, textColumn, type Column, type FieldMeta } from "../table.ts";
import type { Reader } from "./reader.ts";

const NPY_MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const ZIP_MAGIC = [0x50, 0x4b, 0x03, 0x04];

export const npy: Reader = {
  title: "NumPy",
  extensions: [".npy", ".npz"],
  matches: (head) => startsWith(head, NPY_MAGIC) || (startsWith(head, ZIP_MAGIC) && firstEntry(head).endsWith(".npy")),
  async read(source) {
    const bytes = await collectBytes(source);
    const columns: Column[] = [];
    const fields: FieldMeta[] = [];
    for (const { name, array } of readNpyArrays(source.name, bytes)) {
      const made = columnsOfArray(source.name, name, array);
      columns.push(...made.columns);
      if (made.field !== undefined) fields.push(made.field);
    }
    const table = makeTable(source.name, columns, fields.length > 0 ? { fields } : {});
    if (table.rows === 0)
      throw new DataError("DATA_EMPTY", `${source.name}: holds no runs. The first axis of an array counts them.`);
    return table;
  },
};

/** An array as it was stored: numbers in C order, or words. */
export interface NpyArray {
  readonly shape: readonly number[];
  readonly values: Float64Array | readonly string[];
  /** Of a structured array: its columns, in place of `values`. */
  readonly columns?: readonly { readonly name: string; readonly array: NpyArray }[];
}

/** The arrays of an NPY or NPZ file as they are, by name. @throws FileError as {@link parseNpy} */
export function readNpyArrays(
  source: string,
  bytes: Uint8Array,
): { readonly name: string; readonly array: NpyArray }[] {
  if (!startsWith(bytes, ZIP_MAGIC)) {
    const name = (source.split(/[\\/]/).at(-1) ?? source).replace(/(\.npy)?(\.gz)?$/i, "");
    return [{ name: name === "" || source === "stdin" ? "x" : name, array: parseNpy(source, bytes) }];
  }
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes, { filter: (entry) => entry.name.endsWith(".npy") });
  } catch (cause) {
    throw damaged(source, cause instanceof Error ? cause.message : String(cause), cause);
  }
  return Object.entries(entries).map(([name, content]) => ({
    name: name.slice(0, -4),
    array: parseNpy(source, content),
  }));
}

function columnsOfArray(
  source: string,
  name: string,
  array: NpyArray,
): { readonly columns: readonly Column[]; readonly field?: FieldMeta } {
  if (array.columns !== undefined) {
    return { columns: array.columns.flatMap((part) => columnsOfArray(source, part.name, part.array).columns) };
  }
  const [rows, ...shape] = array.shape;
  if (rows === undefined || shape.length > 3) {
    throw new DataError(
      "DATA_FIELD",
      `${source}: array "${name}" has ${array.shape.length} axes. The first counts runs; a field has up to three more.`,
    );
  }
  const { values } = array;
  if (!(values instanceof Float64Array)) {
    if (shape.length === 0) return { columns: [textColumn(name, values)] };
    throw new DataError(
      "DATA_FIELD",
      `${source}: array "${name}" holds words in ${array.shape.length} axes. Words make columns of one axis.`,
    );
  }
  if (shape.length === 0) return { columns: [numberColumn(name, values)] };
  const field = { name, shape };
  return { columns: fieldColumns(field, values), field };
}

/** Parses one NPY array. @param source for messages   @throws FileError FILE_DAMAGED, FILE_FORMAT for types without numbers or words */
export function parseNpy(source: string, bytes: Uint8Array): NpyArray {
  if (!startsWith(bytes, NPY_MAGIC) || bytes.length < 12) throw damaged(source, "no NPY header");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const long = (bytes[6] ?? 1) >= 2;
  const start = long ? 12 : 10;
  const end = start + (long ? view.getUint32(8, true) : view.getUint16(8, true));
  if (end > bytes.length) throw damaged(source, "the header is cut off");
  const header = new TextDecoder("utf-8").decode(bytes.subarray(start, end));
  const shapeText = /'shape'\s*:\s*\(([^)]*)\)/.exec(header)?.[1];
  const order = /'fortran_order'\s*:\s*(True|False)/.exec(header)?.[1];
  if (shapeText === undefined || order === undefined) throw damaged(source, "the header is not understood");
  const shape = shapeText
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "")
    .map(Number);
  const count = shape.reduce((product, extent) => product * extent, 1);
  const data = new DataView(bytes.buffer, bytes.byteOffset + end, bytes.byteLength - end);
  const read = (type: ItemType, offset: number, stride: number): Float64Array | string[] => {
    if ((count - 1) * stride + offset + type.size > data.byteLength && count > 0)
      throw damaged(source, "the values are cut off");
    if (type.kind === "text") return Array.from({ length: count }, (_, i) => type.get(data, i * stride + offset));
    const numbers = new Float64Array(count);
    for (let i = 0; i < count; i++) numbers[i] = type.get(data, i * stride + offset);
    return order === "True" ? toRowMajor(numbers, shape) : numbers;
  };
  const simple = /'descr'\s*:\s*'([^']*)'/.exec(header)?.[1];
  if (simple !== undefined) {
    const type = itemType(source, simple);
    return { shape, values: read(type, 0, type.size) };
  }
  const descr = /'descr'\s*:\s*\[(.*)\]\s*,\s*'fortran_order'/s.exec(header)?.[1];
  const members = [...(descr ?? "").matchAll(/\('([^']*)',\s*'([^']*)'\s*(,[^)]*\))?\)?/g)];
  if (members.length === 0 || members.some((member) => member[3] !== undefined)) {
    throw new FileError(
      "FILE_FORMAT",
      `${source}: this structured array is not understood. Save its parts as arrays of an NPZ.`,
    );
  }
  const types = members.map((member) => itemType(source, member[2] ?? ""));
  const stride = types.reduce((sum, type) => sum + type.size, 0);
  let offset = 0;
  const columns = members.map((member, i) => {
    const type = types[i] ?? itemType(source, "");
    const array = { shape, values: read(type, offset, stride) };
    offset += type.size;
    return { name: member[1] ?? "", array };
  });
  return { shape, values: [], columns: columns.filter(({ name }) => name !== "") };
}

type ItemType =
  | { readonly kind: "number"; readonly size: number; readonly get: (data: DataView, at: number) => number }
  | { readonly kind: "text"; readonly size: number; readonly get: (data: DataView, at: number) => string };

function itemType(source: string, descr: string): ItemType {
  const [, order, code, digits] = /^([<>|=]?)([a-zA-Z])(\d*)/.exec(descr) ?? [];
  const little = order !== ">";
  const size = Number(digits);
  const number = (get: (data: DataView, at: number) => number): ItemType => ({ kind: "number", size, get });
  switch (`${code ?? ""}${size}`) {
    case "f8":
      return number((data, at) => data.getFloat64(at, little));
    case "f4":
      return number((data, at) => data.getFloat32(at, little));
    case "f2":
      return number((data, at) => halfToNumber(data.getUint16(at, little)));
    case "i8":
      return number((data, at) => Number(data.getBigInt64(at, little)));
    case "i4":
      return number((data, at) => data.getInt32(at, little));
    case "i2":
      return number((data, at) => data.getInt16(at, little));
    case "i1":
      return number((data, at) => data.getInt8(at));
    case "u8":
      return number((data, at) => Number(data.getBigUint64(at, little)));
    case "u4":
      return number((data, at) => data.getUint32(at, little));
    case "u2":
      return number((data, at) => data.getUint16(at, little));
    case "u1":
    case "b1":
      return number((data, at) => data.getUint8(at));
  }
  if (code === "U") {
    return {
      kind: "text",
      size: 4 * size,
      get(data, at) {
        let text = "";
        for (let i = 0; i < size; i++) {
          const point = data.getUint32(at + 4 * i, little);
          if (point !== 0) text += String.fromCodePoint(point);
        }
        return text;
      },
    };
  }
  if (code === "S") {
    const decoder = new TextDecoder();
    return {
      kind: "text",
      size,
      get: (data, at) => decoder.decode(new Uint8Array(data.buffer, data.byteOffset + at, size)).replace(/\0+$/, ""),
    };
  }
  const what = code === "O" ? "Python objects" : code === "c" ? "complex numbers" : `the type "${descr}"`;
  throw new FileError(
    "FILE_FORMAT",
    `${source}: an array holds ${what}, which Condense does not read. Save real numbers (float64) or words.`,
  );
}

function halfToNumber(bits: number): number {
  const sign = bits >> 15 === 1 ? -1 : 1;
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  if (exponent === 31) return fraction === 0 ? sign * Infinity : NaN;
  return sign * (exponent === 0 ? fraction * 2 ** -24 : (1 + fraction / 1024) * 2 ** (exponent - 15));
}

function toRowMajor(values: Float64Array, shape: readonly number[]): Float64Array {
  const out = new Float64Array(values.length);
  const index = new Array<number>(shape.length).fill(0);
  values.forEach((value) => {
    out[shape.reduce((place, extent, a) => place * extent + (index[a] ?? 0), 0)] = value;
    for (let a = 0; a < shape.length; a++) {
      const next = (index[a] ?? 0) + 1;
      index[a] = next === shape[a] ? 0 : next;
      if (next !== shape[a]) break;
    }
  });
  return out;
}

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, i) => bytes[i] === byte);
}

/** Name of the first entry of a zip archive (local file header, APPNOTE 4.3.7). */
function firstEntry(head: Uint8Array): string {
  const length = (head[26] ?? 0) | ((head[27] ?? 0) << 8);
  return new TextDecoder().decode(head.subarray(30, 30 + length));
}

function damaged(source: string, why: string, cause?: unknown): FileError {
  return new FileError("FILE_DAMAGED", `${source}: is not a whole NumPy file (${why}). Save it again.`, { cause });
}
