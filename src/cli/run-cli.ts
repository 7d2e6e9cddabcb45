/** From the command line to an exit code. */
import type { NameAsGiven } from '../config/name-as-given.ts';
import { parseCommandLine } from '../config/parse-command-line.ts';
import { readEnvironment } from '../environment.ts';
import { ConfigError } from '../errors.ts';
import type { EmbedderSource } from './command.ts';
import { commands } from './commands.ts';
import { explainOutOfMemory } from './out-of-memory.ts';

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const complain = (line: string): void => {
  process.stderr.write(`${line}\n`);
};

const realSource: EmbedderSource = {
  checkOptions: async (config) => {
    (await import('../embedder/check-options.ts')).checkOptions(config);
  },
  openEmbedder: async (config, tell) =>
    (await import('../embedder/open.ts')).openEmbedder(config, tell),
};

/**
 * @param argv - what follows the program's name
 * @returns the exit code: 0 well, 1 failed while running, 2 an option is wrong
 */
export async function runCli(
  argv: readonly string[],
  source: EmbedderSource = realSource,
): Promise<number> {
  // Whoever reads the beginning only, as `| head` does, has gone: nothing is wrong.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  let asGiven: NameAsGiven = (sentence) => sentence;
  const say = (sentence: string): void => complain(asGiven(sentence));
  try {
    const line = parseCommandLine(argv, readEnvironment(), Object.keys(commands));
    if (line.version) {
      print((await import('./version-text.ts')).versionText());
      return 0;
    }
    const command = commands[line.command];
    if (line.help || !command) {
      const { helpText } = await import('./help-text.ts');
      const named = line.named && command ? line.command : undefined;
      print(helpText(named, Math.min(process.stdout.columns || 100, 120)));
      return 0;
    }
    const { config, warnings, idleOnCpu, nameAsGiven } = line;
    asGiven = nameAsGiven;
    return await command.run({
      ...{ config, warnings, idleOnCpu, nameAsGiven },
      ...source,
      print,
      complain: say,
    });
  } catch (thrown) {
    if (!(thrown instanceof ConfigError)) {
      const message = thrown instanceof Error ? thrown.message : String(thrown);
      say(`resnet50-encoder: ${explainOutOfMemory(thrown) ?? message}`);
      return 1;
    }
    for (const problem of thrown.message.split('\n')) say(`resnet50-encoder: ${problem}`);
    const command = argv.find((word) => word in commands);
    complain(`resnet50-encoder ${command ? `${command} ` : ''}--help lists the options.`);
    return 2;
  }
}
