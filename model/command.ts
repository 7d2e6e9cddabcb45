/** What a command of `npm run model` gives to the command line in main.ts. */
export interface Command {
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole help text, without a newline at its end. */
  help(): string;
  /**
   * @param args - what follows the command's name
   * @throws ConfigError for bad options (exit code 2); anything else ends with exit code 1
   */
  run(args: readonly string[], signal: AbortSignal): Promise<void>;
}
