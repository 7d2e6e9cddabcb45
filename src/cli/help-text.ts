import { optionsHelp } from '../config/help.ts';
import { entry, paragraph } from '../config/help-lines.ts';
import { commands } from './commands.ts';

const name = 'resnet50-encoder';

/** The whole help of a command; without one, the commands and the options of the first of them. */
export function helpText(command: string | undefined, width: number): string {
  const [first = ''] = Object.keys(commands);
  const own = command ?? first;
  const general = [
    ...paragraph(`${name}: Phantoscope's ResNet50 operator. ${promise}`, width),
    '',
    `Usage: ${name} [COMMAND] [OPTIONS]`,
    '',
    'Commands:',
    ...Object.entries(commands).flatMap(([title, { summary }]) => entry(title, summary, width)),
    ...entry('help [COMMAND]', 'the same as --help', width),
    ...entry('version', 'the same as --version', width),
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
    ...entry(
      '-v, --version',
      'The version, the commit it was built from and the model in it.',
      width,
    ),
    ...entry('-h, --help', `This text. ${name} COMMAND --help lists a command's options.`, width),
    '',
    ...notes.flatMap((note) => paragraph(note, width)),
  ].join('\n');
}

const promise =
  'It turns images into vectors, over gRPC, gRPC-web and Connect (also as JSON) on one port.';

const notes: readonly string[] = [
  'Each option can be given as a flag or as an environment variable (OP_...); the flag wins. An empty variable counts as not set; only an empty OP_ENDPOINT is an error.',
  'Exit codes: 0 success, 1 failure while running, 2 wrong options or a wrong model.',
];
