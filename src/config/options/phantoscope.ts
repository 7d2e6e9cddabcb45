/** Being a part of a Phantoscope, and looking at operators as it does. */
import { parseApiUrl } from '../api-url.ts';
import { option, optional } from '../option.ts';
import { choice, type OptionType, text, toggle } from '../option-types.ts';

const apiUrl: OptionType<string> = {
  placeholder: 'URL',
  allowed: "the address of Phantoscope's API server, such as http://192.168.1.10:5000, without /v1",
  parse: parseApiUrl,
  format: String,
};

const both = ['register', 'serve'];

export const phantoscopeOptions = {
  to: optional({
    type: apiUrl,
    fallbackText: 'none: it has to be given',
    group: 'phantoscope',
    commands: ['register'],
    description: 'Address of the Phantoscope to register with.',
  }),
  register: optional({
    type: apiUrl,
    fallbackText: 'none: it does not register',
    group: 'phantoscope',
    commands: ['serve'],
    description:
      'Register with the Phantoscope at this address when ready, and again whenever it has forgotten the operator.',
  }),
  unregisterOnExit: option({
    type: toggle,
    fallback: false,
    group: 'phantoscope',
    commands: ['serve'],
    description: 'Remove the registration when the operator ends.',
  }),
  api: option({
    type: choice('auto', 'v0.1', 'v0.2'),
    fallback: 'auto',
    group: 'phantoscope',
    commands: both,
    description: "Version of Phantoscope's REST API. auto finds it out.",
  }),
  name: optional({
    type: text(
      'NAME',
      'letters, digits, "_", "." and "-", at most 80, the first no dot or dash',
      /^\w[\w.-]{0,79}$/,
    ),
    fallbackText: "the model's, with v0.2 the image's",
    group: 'phantoscope',
    commands: both,
    description: 'Name of the operator in Phantoscope.',
  }),
  replace: option({
    type: toggle,
    fallback: false,
    group: 'phantoscope',
    commands: both,
    description: 'Take the name even if another operator has it.',
  }),
  allowUntrained: option({
    type: toggle,
    fallback: false,
    group: 'phantoscope',
    commands: both,
    description: 'Register even if the weights are random and the vectors mean nothing.',
  }),
  dockerImage: optional({
    type: text('IMAGE', "an image that Phantoscope's Docker has or can pull", /^\S+$/),
    fallbackText: 'none: v0.2 needs it',
    group: 'phantoscope',
    commands: both,
    description: 'Image from which Phantoscope v0.2 starts the operator.',
  }),
  author: option({
    type: text('TEXT', 'any text'),
    fallback: 'resnet50-encoder',
    group: 'phantoscope',
    commands: both,
    description: 'Author that Phantoscope v0.2 shows.',
  }),
  description: option({
    type: text('TEXT', 'any text'),
    fallback: 'Turns images into vectors',
    group: 'phantoscope',
    commands: both,
    description: 'Description that Phantoscope v0.2 shows.',
  }),
  instance: option({
    type: text(
      'NAME',
      'letters, digits, "_", "." and "-", at most 80, not just dots',
      /^(?!\.+$)[\w.-]{1,80}$/,
    ),
    fallback: 'default',
    group: 'phantoscope',
    commands: both,
    description:
      'Name of the instance in Phantoscope v0.2. Its container is phantoscope_<name>_<instance>.',
  }),
  image: optional({
    type: text('FILE', 'the path of an image'),
    fallbackText: 'a picture made on the spot',
    group: 'check',
    commands: ['check'],
    description: 'Image file to send.',
  }),
  url: optional({
    type: text('URL', 'an address that the operator can fetch'),
    fallbackText: 'none',
    group: 'check',
    commands: ['check'],
    description: 'URL to send instead of an image.',
  }),
};
