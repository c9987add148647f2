/** What a calibration of a processor leaves behind. */
export interface CpuCalibration {
  readonly date: string;
}
