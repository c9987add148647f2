/** Target files: JSON in, a checked {@link Target} out. Each fault is one message that names the place and the remedy. */
import { readFile } from "node:fs/promises";
import { FileError } from "../errors.ts";
import { CALIBRATION_VERSION } from "./measured/calibration.ts";
import { cpuEngines, type FpgaBackEnd, fpgaBackEnds, type Target, TARGET_VERSION } from "./target.ts";

type Rule =
  | {
      readonly kind: "number";
      readonly low: number;
      readonly high: number;
      readonly whole?: boolean;
      readonly what: string;
    }
  | { readonly kind: "text"; readonly choices?: readonly string[] }
  | { readonly kind: "flag" }
  | { readonly kind: "any" }
  | { readonly kind: "list" }
  /** Any names, one rule for all values. */
  | { readonly kind: "map"; readonly of: Rule }
  | { readonly kind: "object"; readonly fields: Rules; readonly open?: boolean };
type Rules = Readonly<Record<string, Rule & { readonly optional?: boolean }>>;

const text = { kind: "text" } as const;
const oneOf = (...choices: readonly string[]): Rule => ({ kind: "text", choices });
const count = (low = 0): Rule => ({ kind: "number", low, high: 1e9, whole: true, what: `a whole number from ${low}` });
const positive = (unit: string, high = 1e18): Rule => ({
  kind: "number",
  low: Number.MIN_VALUE,
  high,
  what: `a number of ${unit} above 0`,
});
const notNegative = (unit: string): Rule => ({
  kind: "number",
  low: 0,
  high: 1e18,
  what: `a number of ${unit}, 0 or more`,
});
const share: Rule = { kind: "number", low: 0.01, high: 1, what: "a share from 0.01 to 1" };
const bits: Rule = { kind: "number", low: 1, high: 32, whole: true, what: "a whole number of bits from 1 to 32" };
const object = (fields: Rules, open = false): Rule => ({ kind: "object", fields, open });
const optional = (rule: Rule): Rule & { readonly optional: true } => ({ ...rule, optional: true });

const base = (engines: readonly string[]): Rules => ({
  version: { kind: "number", low: TARGET_VERSION, high: TARGET_VERSION, what: `${TARGET_VERSION}` },
  id: text,
  description: text,
  source: text,
  class: text,
  engine: object({ name: oneOf(...engines), version: text }),
});

const classes = {
  cpu: {
    ...base([...cpuEngines]),
    cpu: object({
      threads: { kind: "number", low: 1, high: 1024, whole: true, what: "a whole number of threads from 1" },
      isa: text,
      l1: positive("bytes"),
      l2: positive("bytes"),
      l3: notNegative("bytes"),
      ghz: positive("GHz", 20),
    }),
    calibration: optional(object({}, true)),
  },
  gpu: {
    ...base(["cuda", "webgpu"]),
    gpu: object({
      fp32: positive("FLOP/s"),
      bw: positive("bytes/s"),
      sm: count(1),
      tLaunch: notNegative("seconds"),
      tSync: notNegative("seconds"),
      tFix: notNegative("seconds"),
      graph: { kind: "flag" },
      tSubmit: notNegative("seconds"),
    }),
    calibration: optional(object({}, true)),
  },
  fpga: {
    ...base(["auto", ...fpgaBackEnds]),
    fpga: object({
      part: text,
      family: oneOf("xc7", "ultrascale", "ecp5", "ice40"),
      lut: count(1),
      ff: count(1),
      dsp: count(),
      bram18: count(),
      uram: count(),
      clockHz: positive("hertz", 2e9),
      extBwBytesPerCycle: positive("bytes per cycle"),
      utilMax: object({ lut: share, dsp: share, bram18: share }),
      weightBits: bits,
      activationBits: bits,
      hostCallSeconds: notNegative("seconds"),
    }),
  },
} as const satisfies Readonly<Record<Target["class"], Rules>>;

const list: Rule = { kind: "list" };
const map = (of: Rule): Rule => ({ kind: "map", of });

const kindFit = object({
  coefficients: list,
  low: list,
  high: list,
  mape: notNegative("relative error"),
  points: count(),
});

const calibration: Rules = {
  version: {
    kind: "number",
    low: CALIBRATION_VERSION,
    high: CALIBRATION_VERSION,
    what: `${CALIBRATION_VERSION}; calibrate again with this Condense`,
  },
  date: text,
  host: text,
  engine: text,
  referenceSeconds: positive("seconds"),
  noiseCv: notNegative("relative deviation"),
  sessionSeconds: notNegative("seconds"),
  aroundSeconds: list,
  padding: object({ columns: count(1), rows: count(1) }),
  kinds: map(kindFit),
  residuals: object({ shares: map(list), logResidual: list, batch: list }),
  batches: list,
};

const calibrations: Readonly<Partial<Record<Target["class"], Rules>>> = {
  cpu: { ...calibration, threads: count(1) },
  gpu: calibration,
};

/** Parses and checks a target file. @param where its path, for messages   @throws FileError */
export function parseTarget(json: string, where: string): Target {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch (cause) {
    throw new FileError(
      "FILE_TARGET",
      `${where}: not JSON (${(cause as Error).message}). A target file is one JSON object.`,
      { cause },
    );
  }
  const root = asObject(value, where, "the document");
  if (typeof root.version === "number" && root.version > TARGET_VERSION)
    throw new FileError(
      "FILE_TARGET_VERSION",
      `${where}: a target of version ${root.version}, this Condense reads version ${TARGET_VERSION}. Update Condense, or write the target anew.`,
    );
  const rules =
    typeof root.class === "string" && Object.hasOwn(classes, root.class)
      ? classes[root.class as Target["class"]]
      : undefined;
  if (rules === undefined)
    throw fault(where, "class", `is ${shown(root.class)}`, `one of ${Object.keys(classes).join(", ")}`);
  checkFields(root, rules, where, "");
  const target = root as unknown as Target;
  const measured = calibrations[target.class];
  if (measured !== undefined && root.calibration !== undefined)
    checkFields(asObject(root.calibration, where, '"calibration"'), measured, where, "calibration.");
  if (target.class === "fpga" && target.fpga.family === "ice40" && target.fpga.weightBits > 16)
    throw fault(where, "fpga.weightBits", `is ${target.fpga.weightBits}`, "at most 16 on an iCE40");
  return target;
}

/** Reads a target file. @throws FileError */
export async function readTarget(path: string): Promise<Target> {
  let json: string;
  try {
    json = await readFile(path, "utf8");
  } catch (cause) {
    throw new FileError(
      "FILE_TARGET",
      `${path}: cannot be read (${(cause as Error).message}). Check the path of the target file.`,
      { cause },
    );
  }
  return parseTarget(json, path);
}

/** Whether a name is a back end for FPGA targets. */
export function isFpgaBackEnd(name: string): name is FpgaBackEnd {
  return (fpgaBackEnds as readonly string[]).includes(name);
}

function checkFields(value: Readonly<Record<string, unknown>>, rules: Rules, where: string, prefix: string): void {
  // Another version has other fields: that is the thing to say.
  if (rules.version !== undefined) check(value.version, rules.version, where, `${prefix}version`);
  for (const key of Object.keys(value))
    if (!Object.hasOwn(rules, key))
      throw new FileError(
        "FILE_TARGET",
        `${where}: unknown field "${prefix}${key}" (there are: ${Object.keys(rules).join(", ")}). Remove or rename it.`,
      );
  for (const [key, rule] of Object.entries(rules)) {
    if (value[key] === undefined && rule.optional) continue;
    check(value[key], rule, where, prefix + key);
  }
}

function check(value: unknown, rule: Rule, where: string, path: string): void {
  switch (rule.kind) {
    case "number": {
      const fits =
        typeof value === "number" &&
        value >= rule.low &&
        value <= rule.high &&
        (!rule.whole || Number.isInteger(value));
      if (!fits) throw fault(where, path, value === undefined ? "is missing" : `is ${shown(value)}`, rule.what);
      return;
    }
    case "text":
      if (typeof value !== "string")
        throw fault(where, path, value === undefined ? "is missing" : `is ${shown(value)}`, "a text");
      if (rule.choices && !rule.choices.includes(value))
        throw fault(where, path, `is "${value}"`, `one of ${rule.choices.join(", ")}`);
      return;
    case "list":
      if (!Array.isArray(value) || !value.every((item) => typeof item === "number" && Number.isFinite(item)))
        throw fault(where, path, value === undefined ? "is missing" : "holds something else", "a list of numbers");
      return;
    case "flag":
      if (typeof value !== "boolean")
        throw fault(where, path, value === undefined ? "is missing" : `is ${shown(value)}`, "true or false");
      return;
    case "any":
      return;
    case "map":
      for (const [key, each] of Object.entries(asObject(value, where, `"${path}"`)))
        check(each, rule.of, where, `${path}.${key}`);
      return;
    case "object": {
      const fields = asObject(value, where, `"${path}"`);
      if (!rule.open) checkFields(fields, rule.fields, where, `${path}.`);
      return;
    }
    default:
      rule satisfies never;
  }
}

function asObject(value: unknown, where: string, what: string): Readonly<Record<string, unknown>> {
  if (value !== null && typeof value === "object" && !Array.isArray(value))
    return value as Readonly<Record<string, unknown>>;
  throw new FileError(
    "FILE_TARGET",
    `${where}: ${what} ${value === undefined ? "is missing" : "is not an object"}. See \`condense latency targets --json\` for examples.`,
  );
}

function fault(where: string, path: string, found: string, wanted: string): FileError {
  return new FileError("FILE_TARGET", `${where}: "${path}" ${found}, but must be ${wanted}. Mend the target file.`);
}

function shown(value: unknown): string {
  return JSON.stringify(value) ?? "missing";
}
