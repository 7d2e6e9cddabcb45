/** Decoded pixels, 8 bits a sample, rows from top to bottom, samples interleaved. */
export interface Pixels {
  readonly width: number;
  readonly height: number;
  /** 1: grey. 3: RGB. 4: RGB and a fourth sample that everything after decoding ignores. */
  readonly channels: 1 | 3 | 4;
  /** `width * height * channels` bytes. */
  readonly data: Uint8Array | Uint8ClampedArray;
}

/** What a file's header tells before anything is decoded. */
export interface ImageHeader {
  readonly width: number;
  readonly height: number;
  /** About how many bytes of memory decoding takes at its peak. */
  readonly decodedBytes: number;
}

/** One file format. Both functions throw OperatorError (IMAGE_*) for files they cannot read. */
export interface ImageDecoder {
  readonly name: string;
  /** Reads no further than the dimensions, allocates nothing. */
  inspect(bytes: Uint8Array): ImageHeader;
  /** Called only after `inspect` and the limits have passed. */
  decode(bytes: Uint8Array): Pixels | Promise<Pixels>;
}
