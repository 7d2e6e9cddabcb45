import type { NameAsGiven } from '../config/name-as-given.ts';
import type { Config } from '../config/options.ts';
import type { CommandLine } from '../config/parse-command-line.ts';
import type { Embedder } from '../embedder/embedder.ts';
import type { Tell } from '../log.ts';

/** Where `serve` and `info` get what they need; tests put another one in its place. */
export interface EmbedderSource {
  /** Quick, for before listening. @throws ConfigError for what `openEmbedder` would refuse without opening the model */
  readonly checkOptions: (config: Config) => Promise<void>;
  readonly openEmbedder: (
    config: Config & Pick<CommandLine, 'idleOnCpu'>,
    tell: Tell,
  ) => Promise<Embedder>;
}

export interface CommandContext extends EmbedderSource {
  readonly config: Config;
  /** Sentences about the command line that are worth a warning. */
  readonly warnings: readonly string[];
  /** For `openEmbedder`, which knows whether it is so. */
  readonly idleOnCpu: string | undefined;
  /** For sentences that name an option; what is thrown or complained of goes through it anyway. */
  readonly nameAsGiven: NameAsGiven;
  /** A line for whoever called the command. */
  readonly print: (line: string) => void;
  /** A line about what goes wrong. */
  readonly complain: (line: string) => void;
}

export interface Command {
  /** One line of the help. */
  readonly summary: string;
  /**
   * @returns the exit code: 0 well, 1 failed while running
   * @throws ConfigError, which ends the program with 2
   */
  readonly run: (context: CommandContext) => Promise<number>;
}
