import { ConfigError } from '../errors.ts';
import { PhantoscopeError } from '../phantoscope/failure.ts';
import { register } from '../phantoscope/register.ts';
import type { Outcome } from '../phantoscope/registration.ts';
import type { CommandContext } from './command.ts';
import { registrationRequest } from './registration-request.ts';

/**
 * `register --to URL`: registers the operator at `--endpoint`, which must be running (v0.1), or `--docker-image` (v0.2).
 * @returns the exit code: 0 registered, now or before, 1 not
 * @throws ConfigError where the options do not fit
 */
export async function runRegister(
  { config, print, complain }: Pick<CommandContext, 'config' | 'print' | 'complain'>,
  signal: AbortSignal,
): Promise<number> {
  if (config.to === undefined) {
    throw new ConfigError('register needs --to, for example --to http://192.168.1.10:5000');
  }
  try {
    const outcome = await register(registrationRequest(config, config.to), { signal });
    print(`${sentence(outcome)} at ${config.to} (${outcome.api}), endpoint ${outcome.endpoint}`);
    for (const note of outcome.notes) print(`note: ${note}`);
    return 0;
  } catch (thrown) {
    if (!(thrown instanceof PhantoscopeError)) throw thrown;
    if (thrown.kind === 'options') throw new ConfigError(thrown.message);
    complain(`not registered: ${thrown.message}`);
    return 1;
  }
}

function sentence({ state, name }: Outcome): string {
  switch (state) {
    case 'registered':
      return `registered "${name}"`;
    case 'replaced':
      return `registered "${name}" in place of an older record`;
    case 'unchanged':
      return `"${name}" is registered already`;
  }
}
