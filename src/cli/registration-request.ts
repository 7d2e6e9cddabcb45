import type { Config } from '../config/options.ts';
import type { RegistrationRequest } from '../phantoscope/registration.ts';
import { version } from '../version.ts';

/** What `register` and `serve --register` ask of the Phantoscope at `apiUrl`. */
export function registrationRequest(
  config: Config,
  apiUrl: string,
  known: Pick<RegistrationRequest, 'expectModelId'> & { type?: string } = {},
): RegistrationRequest {
  const { api, name, endpoint, replace, allowUntrained, dockerImage } = config;
  return {
    apiUrl,
    api,
    name,
    endpoint,
    replace,
    allowUntrained,
    expectModelId: known.expectModelId,
    image:
      dockerImage === undefined
        ? undefined
        : {
            image: dockerImage,
            author: config.author,
            description: config.description,
            version,
            type: known.type ?? 'encoder',
            instance: config.instance,
          },
  };
}
