/** FPGA boards (spec latency 4.1). Logic counts and clocks: vendors' device tables; clocks are safe defaults for generated designs. */
import { type FpgaDevice, type FpgaTarget, TARGET_VERSION } from "../target.ts";

type Row = readonly [
  name: string,
  description: string,
  part: string,
  family: FpgaDevice["family"],
  lut: number,
  ff: number,
  dsp: number,
  bram18: number,
  uram: number,
  extBwBytesPerCycle: number,
  megahertz: number,
];

const rows: readonly Row[] = [
  ["pynq-z1", "PYNQ-Z1 (Zynq-7020)", "xc7z020", "xc7", 53200, 106400, 220, 280, 0, 8, 100],
  ["pynq-z2", "PYNQ-Z2 (Zynq-7020)", "xc7z020", "xc7", 53200, 106400, 220, 280, 0, 8, 100],
  ["zybo", "Zybo-class board (Zynq-7010)", "xc7z010", "xc7", 17600, 35200, 80, 120, 0, 8, 100],
  ["artix-35t", "Artix-7 35T", "xc7a35t", "xc7", 20800, 41600, 90, 100, 0, 4, 100],
  ["artix-100t", "Artix-7 100T", "xc7a100t", "xc7", 63400, 126800, 240, 270, 0, 4, 100],
  ["vc707", "VC707 (Virtex-7 485T)", "xc7vx485t", "xc7", 303600, 607200, 2800, 2060, 0, 45, 100],
  ["virtex-690t", "Virtex-7 690T", "xc7vx690t", "xc7", 433200, 866400, 3600, 2940, 0, 64, 100],
  ["zcu104", "ZCU104 (Zynq UltraScale+ ZU7EV)", "xczu7ev", "ultrascale", 230400, 460800, 1728, 624, 96, 16, 200],
  ["zcu102", "ZCU102 (Zynq UltraScale+ ZU9EG)", "xczu9eg", "ultrascale", 274080, 548160, 2520, 1824, 0, 16, 200],
  ["alveo-u250", "Alveo U250", "xcu250", "ultrascale", 1728000, 3456000, 12288, 5376, 1280, 64, 200],
  ["ecp5-25f", "ECP5-25F", "LFE5U-25F", "ecp5", 24288, 24288, 28, 56, 0, 4, 80],
  ["ecp5-45f", "ECP5-45F", "LFE5U-45F", "ecp5", 43848, 43848, 72, 108, 0, 4, 80],
  ["ecp5-85f", "ECP5-85F", "LFE5U-85F", "ecp5", 83640, 83640, 156, 208, 0, 4, 80],
  ["ice40-hx8k", "iCE40 HX8K", "iCE40HX8K", "ice40", 7680, 7680, 0, 32, 0, 1, 50],
  ["ice40-up5k", "iCE40 UltraPlus 5K (4 SPRAM not used)", "iCE40UP5K", "ice40", 5280, 5280, 8, 30, 0, 1, 20],
];

/** The boards, with every back end tried. */
export const fpgaTargets: readonly FpgaTarget[] = rows.map(
  ([name, description, part, family, lut, ff, dsp, bram18, uram, extBwBytesPerCycle, megahertz]) => ({
    version: TARGET_VERSION,
    id: `fpga:${name}`,
    class: "fpga",
    description,
    source: "device tables of the vendors; no measurement",
    engine: { name: "auto", version: "1" },
    fpga: {
      part,
      family,
      lut,
      ff,
      dsp,
      bram18,
      uram,
      clockHz: megahertz * 1e6,
      extBwBytesPerCycle,
      utilMax: { lut: 0.7, dsp: 0.9, bram18: 0.85 },
      weightBits: 16,
      activationBits: 16,
      hostCallSeconds: 0,
    },
  }),
);
