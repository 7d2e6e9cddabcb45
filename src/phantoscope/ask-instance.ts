/** Only once a container of v0.2 runs, it can be asked what it is, if there is a way to it from here. */
import { PhantoscopeError, printable } from './failure.ts';
import { containerName } from './instances-v02.ts';
import type { IdentityAnswer } from './operator-client.ts';
import { field, type StoredRecord } from './operator-record.ts';
import type { ImageRecord, RegistrationContext, RegistrationRequest } from './registration.ts';

/** Loading the model takes the container a few seconds. */
const answersWithinMs = 20_000;

/**
 * Whether the container is this program, with trained weights.
 * @param done - what had to be done for it: one that has just been started may take a while
 * @returns a note where nobody could be asked
 * @throws PhantoscopeError `endpoint` or `untrained`
 */
export async function checkInstance(
  instance: StoredRecord,
  done: 'nothing' | 'started' | 'created',
  name: string,
  image: ImageRecord,
  request: RegistrationRequest,
  context: RegistrationContext,
): Promise<string[]> {
  const answer = await askInstance(instance, context, done === 'nothing' ? 0 : answersWithinMs);
  const container = containerName(name, image.instance);
  if (!answer) {
    return [
      `The container ${container} cannot be reached from here, so nobody has looked whether its weights are trained: ` +
        `run "resnet50-encoder check -e ${printable(field(instance, 'endpoint'), 80)}" on the host of Phantoscope.`,
    ];
  }
  const { identity, modelId, trained } = answer;
  if (modelId === undefined) {
    const who = `"${printable(identity.name, 60)}" (${printable(identity.type, 20)})`;
    throw new PhantoscopeError(
      'endpoint',
      `what answers in ${container} is ${who}, and not this program: ` +
        (done === 'created'
          ? `${image.image} is another operator's image`
          : `remove that container, or give another --instance`),
    );
  }
  if (trained || request.allowUntrained) return [];
  throw new PhantoscopeError(
    'untrained',
    `the image ${image.image} serves untrained weights (${printable(modelId)}): its vectors mean nothing. ` +
      'Use an image with a trained model, or register it all the same with --allow-untrained',
  );
}

/** Asks the container at its own address, or at the port that is published on Phantoscope's host. */
async function askInstance(
  instance: StoredRecord,
  context: RegistrationContext,
  withinMs: number,
): Promise<IdentityAnswer | undefined> {
  const places = [field(instance, 'endpoint'), published(instance, context.rest.url)].filter(
    (place) => /^[\w.:[\]-]+:\d+$/.test(place),
  );
  const until = context.clock.now() + withinMs;
  for (;;) {
    for (const place of places) {
      const client = context.connect(place, { signal: context.signal, timeoutMs: 2000 });
      try {
        return await client.identity();
      } catch {
        context.signal.throwIfAborted();
      } finally {
        client.close();
      }
    }
    if (places.length === 0 || context.clock.now() >= until) return undefined;
    await context.clock.sleep(1000, context.signal);
  }
}

/** Docker's `{"80/tcp": [{"HostIp": …, "HostPort": "32768"}]}`. */
function published(instance: StoredRecord, apiUrl: string): string {
  const ports = instance.ports ?? instance._ports;
  const port = /"HostPort":\s*"(\d{1,5})"/.exec(JSON.stringify(ports ?? null))?.[1];
  return port ? `${new URL(apiUrl).hostname}:${port}` : '';
}
