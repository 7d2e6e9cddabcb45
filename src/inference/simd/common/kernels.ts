/** The signatures of kernels that the module of each number format has; addresses are bytes. build/kernels says what each does. */
export interface CommonKernels {
  max_pool(
    src: number,
    rowBytes: number,
    rows: number,
    pixelBytes: number,
    width: number,
    window: number,
    x: number,
    stride: number,
    dst: number,
    pixels: number,
  ): void;
  average_pool(
    src: number,
    rowBytes: number,
    rows: number,
    pixelBytes: number,
    rowPixels: number,
    dst: number,
    scale: number,
  ): void;
  interleave(
    src: number,
    pixelBytes: number,
    planeBytes: number,
    channels: number,
    dst: number,
    pixels: number,
  ): void;
  fill(dst: number, bytes: number, strideBytes: number, runs: number, filler: number): void;
  pack_gemm(
    src: number,
    rowBytes: number,
    channels: number,
    taps: number,
    scale: number,
    dst: number,
    tapBytes: number,
  ): void;
}
