import type { Config } from '../config/options.ts';
import type { Embedder } from '../embedder/embedder.ts';
import { ConfigError } from '../errors.ts';
import type { Registration, RegistrationLog } from '../phantoscope/registration-loop.ts';
import { registrationRequest } from './registration-request.ts';

/** What would keep any attempt from succeeding. @throws ConfigError */
export function assertRegistrable({ register, api, dockerImage }: Config): void {
  if (register === undefined || api !== 'v0.2' || dockerImage !== undefined) return;
  throw new ConfigError(
    '--register with --api v0.2 needs --docker-image: that version starts operators itself, from an image',
  );
}

/** `serve --register URL`: undefined without it. */
export async function keepRegistered(
  config: Config,
  embedder: Embedder,
  isReady: () => boolean,
  log: RegistrationLog,
): Promise<Registration | undefined> {
  if (config.register === undefined) return undefined;
  const { startRegistration } = await import('../phantoscope/registration-loop.ts');
  const known = { expectModelId: () => embedder.info.modelId, type: embedder.manifest.type };
  return startRegistration({
    request: registrationRequest(config, config.register, known),
    isReady,
    log,
    unregisterOnExit: config.unregisterOnExit,
  });
}
