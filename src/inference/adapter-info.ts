/** What `info` tells of the GPU. */
export interface AdapterInfo {
  /** The driver's own, as in the list of all adapters. */
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** Driver's own description. */
  readonly driver: string;
  readonly backend: string;
  readonly software: boolean;
  readonly features: readonly string[];
  /** Those that bound which networks and batches fit, in bytes or numbers. */
  readonly limits: Readonly<Record<string, number>>;
  /** For the log: why it is this one, where another might have been expected. */
  readonly note?: string | undefined;
  /** Why it is not used although it was opened. */
  readonly declined?: string | undefined;
}
