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
    fallbackText: 'none, register needs it',
    group: 'phantoscope',
    commands: ['register'],
    description: 'The Phantoscope to register with.',
  }),
  register: optional({
    type: apiUrl,
    fallbackText: 'do not register',
    group: 'phantoscope',
    commands: ['serve'],
    description:
      'Register with this Phantoscope once the operator is ready, and again whenever it has lost it.',
  }),
  unregisterOnExit: option({
    type: toggle,
    fallback: false,
    group: 'phantoscope',
    commands: ['serve'],
    description: 'Take the registration back at the end.',
  }),
  api: option({
    type: choice('auto', 'v0.1', 'v0.2'),
    fallback: 'auto',
    group: 'phantoscope',
    commands: both,
    description: "The version of Phantoscope's REST API.",
  }),
  name: optional({
    type: text('NAME', 'letters, digits and "_", at most 80'),
    fallbackText: "the model's, with v0.2 the image's",
    group: 'phantoscope',
    commands: both,
    description: 'The name under which Phantoscope knows the operator.',
  }),
  replace: option({
    type: toggle,
    fallback: false,
    group: 'phantoscope',
    commands: both,
    description: 'Take the name even if it belongs to another operator.',
  }),
  allowUntrained: option({
    type: toggle,
    fallback: false,
    group: 'phantoscope',
    commands: both,
    description: 'Register an operator whose weights are random, and its vectors meaningless.',
  }),
  dockerImage: optional({
    type: text('IMAGE', "an image that Phantoscope's Docker has or can pull"),
    fallbackText: 'none, v0.2 needs it',
    group: 'phantoscope',
    commands: both,
    description: 'The image that Phantoscope v0.2 starts.',
  }),
  author: option({
    type: text('TEXT', 'any text'),
    fallback: 'resnet50-encoder',
    group: 'phantoscope',
    commands: both,
    description: 'The author that v0.2 shows.',
  }),
  description: option({
    type: text('TEXT', 'any text'),
    fallback: 'Turns images into vectors',
    group: 'phantoscope',
    commands: both,
    description: 'The description that v0.2 shows.',
  }),
  instance: option({
    type: text('NAME', 'letters, digits, "_", "." and "-"'),
    fallback: 'default',
    group: 'phantoscope',
    commands: both,
    description: "The instance's name in v0.2; its container is phantoscope_<name>_<instance>.",
  }),
  image: optional({
    type: text('FILE', 'the path of an image'),
    fallbackText: 'a picture made on the spot',
    group: 'check',
    commands: ['check'],
    description: 'The image to send.',
  }),
  url: optional({
    type: text('URL', 'an address that the operator can fetch'),
    fallbackText: 'none',
    group: 'check',
    commands: ['check'],
    description: 'Send this URL instead of an image.',
  }),
};
