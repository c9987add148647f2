/**
 * Targets: the devices that an emulator may have to run on, as plain data. A target is a versioned JSON document; those
 * that come with Condense live in `targets/`, one file per family, and a user's own is read from a file. What is in a
 * target decides every prediction, so its hash goes into every result. Seconds and bytes throughout; FPGA clocks in hertz.
 */
import { createHash } from "node:crypto";
import type { Calibration, CpuCalibration } from "./measured/calibration.ts";

/** Version of the target file's format. */
export const TARGET_VERSION = 1;

interface TargetBase {
  readonly version: typeof TARGET_VERSION;
  /** Such as `fpga:pynq-z2`. */
  readonly id: string;
  readonly description: string;
  /** Where the constants come from: a datasheet, or a measurement with device and date. */
  readonly source: string;
}

export const cpuEngines = ["ort", "tfjs"] as const;

/** What runs a graph on a processor. */
export type CpuEngine = (typeof cpuEngines)[number];

/** This or another processor, under ONNX Runtime or TensorFlow.js. */
export interface CpuTarget extends TargetBase {
  readonly class: "cpu";
  readonly engine: { readonly name: CpuEngine; readonly version: string };
  readonly cpu: {
    readonly threads: number;
    /** Name of the vector instruction set, such as `avx2`, or "". */
    readonly isa: string;
    /** Cache sizes of one core, bytes. */
    readonly l1: number;
    readonly l2: number;
    readonly l3: number;
    readonly ghz: number;
  };
  readonly calibration?: CpuCalibration;
}

/** A graphics processor: in-order queue of kernels over a roofline (spec latency 3). */
export interface GpuTarget extends TargetBase {
  readonly class: "gpu";
  readonly engine: { readonly name: "cuda" | "webgpu"; readonly version: string };
  readonly gpu: GpuConstants;
  /** Replaces the constants in predictions. */
  readonly calibration?: Calibration;
}

export interface GpuConstants {
  /** Peak FLOP/s in float32. */
  readonly fp32: number;
  /** Memory bandwidth, bytes/s. */
  readonly bw: number;
  /** Multiprocessors. */
  readonly sm: number;
  /** From one launch to the next, seconds; with a recorded graph, from one node to the next. */
  readonly tLaunch: number;
  /** From the end of the last kernel until the caller knows, seconds. */
  readonly tSync: number;
  /** Fixed time of a kernel on the device, seconds. */
  readonly tFix: number;
  /** Whether launches are recorded once and submitted together. */
  readonly graph: boolean;
  /** Time of that one submission, seconds; counts with `graph` only. */
  readonly tSubmit: number;
}

export const fpgaBackEnds = ["tiled", "dataflow", "reuse", "binary"] as const;
/** How a network becomes a design: tiled engines (FNAS), PE x SIMD dataflow (FINN), reuse factor (hls4ml), binary (Li et al.). */
export type FpgaBackEnd = (typeof fpgaBackEnds)[number];

/** A programmable-logic board (spec latency 4). */
export interface FpgaTarget extends TargetBase {
  readonly class: "fpga";
  /** `auto` takes the fastest of tiled, dataflow and reuse that fits. */
  readonly engine: { readonly name: FpgaBackEnd | "auto"; readonly version: string };
  readonly fpga: FpgaDevice;
}

export interface FpgaDevice {
  readonly part: string;
  /** Decides the shape of block memories and of multipliers in logic. */
  readonly family: "xc7" | "ultrascale" | "ecp5" | "ice40";
  readonly lut: number;
  readonly ff: number;
  readonly dsp: number;
  /** 18-kbit halves of block memory; on iCE40 blocks of 4 kbit. */
  readonly bram18: number;
  readonly uram: number;
  readonly clockHz: number;
  readonly extBwBytesPerCycle: number;
  /** Share of each resource that a design may use. */
  readonly utilMax: { readonly lut: number; readonly dsp: number; readonly bram18: number };
  /** Bits of weights and of activations, fixed point. */
  readonly weightBits: number;
  readonly activationBits: number;
  /** Time of one call from the host around the design: 0 where hardware triggers it, about 20 us from embedded Linux. */
  readonly hostCallSeconds: number;
}

export type Target = CpuTarget | GpuTarget | FpgaTarget;

/** Identifies what a prediction was made for: the first 16 hex digits of SHA-256 over the target with sorted keys. */
export function targetHash(target: Target): string {
  return createHash("sha256").update(canonicalJson(target)).digest("hex").slice(0, 16);
}

function canonicalJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "null";
  const entries = Object.entries(value)
    .filter(([, v]) => v !== undefined)
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([k, v]) => `${JSON.stringify(k)}:${canonicalJson(v)}`).join(",")}}`;
}
