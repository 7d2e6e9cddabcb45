/** Finds the GPU to run on, or says precisely why there is none. */
/// <reference types="@webgpu/types" />
import type { AdapterInfo } from '../adapter-info.ts';
import { unloadDawn } from './dawn.ts';
import { describeDrivers } from './drivers.ts';
import { type FoundAdapter, findAdapter } from './find-adapter.ts';

export interface AdapterChoice {
  /** Number or part of the name, when there are several. */
  readonly adapter?: string | undefined;
  /** Whether a software driver (SwiftShader, llvmpipe) will do. */
  readonly allowSoftware: boolean;
  /** Whether the model computes in half precision, which is optional in WebGPU. */
  readonly needsF16?: boolean | undefined;
}

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly info: AdapterInfo;
  /**
   * @throws Error when the device has reported an error that nobody waited for, such as being out of memory: the commands
   *   behind it did not run, and whatever is read back may be from an earlier image
   */
  assertSound(): void;
  /** Frees the GPU's memory; the thread can end afterwards. */
  close(): void;
}

/** The adapter lacks something that the model needs. */
export class MissingFeatureError extends Error {
  override readonly name = 'MissingFeatureError';
}

/** Taken when the adapter has them: half precision, and what onnxruntime's kernels can make use of. */
const wantedFeatures = ['shader-f16', 'subgroups', 'timestamp-query'] as const;

/** The network's buffers are larger than WebGPU's guaranteed minimum; ask for all that the adapter has. */
const wantedLimits = [
  'maxBufferSize',
  'maxStorageBufferBindingSize',
  'maxStorageBuffersPerShaderStage',
  'maxComputeWorkgroupStorageSize',
  'maxComputeInvocationsPerWorkgroup',
  'maxComputeWorkgroupSizeX',
  'maxComputeWorkgroupSizeY',
  'maxComputeWorkgroupSizeZ',
  'maxComputeWorkgroupsPerDimension',
] as const;

const noHalf = 'does not compute in half precision (shader-f16)';

/** What the addon runs on unless it is told otherwise. */
const backends: Readonly<Record<string, string>> = { darwin: 'metal', win32: 'd3d12' };

/**
 * @throws MissingFeatureError when the model needs what the adapter has not
 * @throws Error with a sentence for the user: nothing found and what was looked for, or a software adapter unasked for
 */
export async function openDevice(choice: AdapterChoice): Promise<OpenDevice> {
  const found = await find(choice);
  const { adapter } = found;
  const info = describe(found);
  if (info.software && !choice.allowSoftware)
    throw new Error(
      `the adapter is only software (${info.name}), slower than the CPU path, and --allow-software-gpu takes it; ${describeDrivers()}`,
    );
  if (choice.needsF16 && !adapter.features.has('shader-f16'))
    throw new MissingFeatureError(`${info.name} ${noHalf}`);
  const device = await adapter.requestDevice({
    requiredFeatures: wantedFeatures.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]])),
  });
  let unsound: Error | undefined;
  device.addEventListener('uncapturederror', (event) => {
    // Else Dawn prints it on the standard output, amid the log.
    event.preventDefault();
    const [firstLine] = event.error.message.split('\n');
    unsound ??= new Error(`${event.error.constructor.name}: ${firstLine}`);
  });
  return {
    device,
    info,
    assertSound() {
      if (unsound) throw unsound;
    },
    close() {
      device.destroy();
      unloadDawn();
    },
  };
}

/** @throws Error with a sentence: no adapter, or not the one that was meant, and what there is of drivers */
async function find({ adapter, needsF16, allowSoftware }: AdapterChoice): Promise<FoundAdapter> {
  const suits = (candidate: GPUAdapter): boolean =>
    candidate.features.has('shader-f16') && (allowSoftware || !isSoftware(candidate));
  try {
    return await findAdapter(adapter, needsF16 ? { suits, lacks: noHalf } : undefined);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason.replaceAll('\n', '; ')}; ${describeDrivers()}`);
  }
}

function isSoftware({ info }: GPUAdapter): boolean {
  const { isFallbackAdapter, architecture, device, description } = info;
  const text = `${architecture} ${device || description}`;
  return isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|warp/i.test(text);
}

function describe({ adapter, name, note }: FoundAdapter): AdapterInfo {
  const { vendor, architecture, description } = adapter.info;
  return {
    name: name || vendor,
    vendor,
    architecture,
    driver: description,
    backend: backends[process.platform] ?? 'vulkan',
    software: isSoftware(adapter),
    features: [...adapter.features].sort(),
    limits: Object.fromEntries(wantedLimits.map((limit) => [limit, adapter.limits[limit]])),
    note,
  };
}
