/** Finds the GPU to run on, or says precisely why there is none. */
/// <reference types="@webgpu/types" />
import { loadDawn } from './dawn.ts';
import { describeDrivers } from './drivers.ts';

export interface AdapterChoice {
  /** Part of the adapter's name, when there are several. */
  readonly adapter?: string | undefined;
  /** Whether a software driver (SwiftShader, llvmpipe) will do. */
  readonly allowSoftware: boolean;
}

/** What `info` tells of the GPU. */
export interface AdapterInfo {
  readonly name: string;
  readonly vendor: string;
  readonly architecture: string;
  /** Driver's own description. */
  readonly driver: string;
  readonly software: boolean;
  readonly features: readonly string[];
}

export interface OpenDevice {
  readonly device: GPUDevice;
  readonly info: AdapterInfo;
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
] as const;

/** @throws Error with a sentence for the user: nothing found and what was looked for, or a software adapter unasked for */
export async function openDevice(choice: AdapterChoice): Promise<OpenDevice> {
  const gpu = loadDawn(choice.adapter ? [`adapter=${choice.adapter}`] : []);
  const adapter = await gpu
    .requestAdapter({ powerPreference: 'high-performance' })
    .catch(() => null);
  if (!adapter) {
    const named = choice.adapter ? ` named like "${choice.adapter}"` : '';
    throw new Error(`no WebGPU adapter${named} was found; ${describeDrivers()}`);
  }
  const info = describe(adapter);
  if (info.software && !choice.allowSoftware)
    throw new Error(
      `the only adapter is a software one (${info.name}), slower than the CPU path; --allow-software-gpu takes it`,
    );
  const device = await adapter.requestDevice({
    requiredFeatures: wantedFeatures.filter((feature) => adapter.features.has(feature)),
    requiredLimits: Object.fromEntries(wantedLimits.map((name) => [name, adapter.limits[name]])),
  });
  return { device, info };
}

function describe(adapter: GPUAdapter): AdapterInfo {
  const { vendor, architecture, device, description, isFallbackAdapter } = adapter.info;
  const name = device || description || vendor;
  const software =
    isFallbackAdapter || /swiftshader|llvmpipe|lavapipe|warp/i.test(`${architecture} ${name}`);
  return {
    name,
    vendor,
    architecture,
    driver: description,
    software,
    features: [...adapter.features].sort(),
  };
}
