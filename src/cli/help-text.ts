import { entry, optionsHelp } from '../config/help.ts';
import { commands } from './commands.ts';

const name = 'resnet50-encoder';

/** The whole help of a command; without one, the commands and the options of the first of them. */
export function helpText(command: string | undefined, width: number): string {
  const [first = ''] = Object.keys(commands);
  const own = command ?? first;
  const general = [
    `${name}: Phantoscope's ResNet50 operator. Images in, vectors out, over gRPC, gRPC-web and`,
    'Connect (JSON as well) on one port.',
    '',
    `Usage: ${name} [COMMAND] [OPTIONS]`,
    '',
    'Commands:',
    ...Object.entries(commands).flatMap(([title, { summary }]) => entry(title, summary, width)),
    '',
    `Options of ${own}:`,
  ];
  const particular = [
    `${name} ${own}: ${commands[own]?.summary ?? ''}`,
    '',
    `Usage: ${name} ${own} [OPTIONS]`,
  ];
  return [
    ...(command === undefined ? general : particular),
    '',
    optionsHelp(own, width),
    '',
    'Other:',
    ...entry('--version, -v', 'The version and the commit it was built from.', width),
    ...entry('--help, -h', `This; ${name} COMMAND --help for the options of a command.`, width),
    '',
    'Every option is a flag and a variable; the flag comes first. An empty variable counts as not set; an empty OP_ENDPOINT is an error.',
    'Exit codes: 0 well, 1 failed while running, 2 an option is wrong (all that are wrong are listed).',
  ].join('\n');
}
