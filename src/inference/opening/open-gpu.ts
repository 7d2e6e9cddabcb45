/** Opens an engine on a GPU. */
import type { Tell } from '../../log.ts';
import type { Precision } from '../../model/manifest.ts';
import type { Model } from '../../model/open-model.ts';
import type { AdapterInfo } from '../adapter-info.ts';
import type { Engine } from '../engine.ts';
import { CaptureError, type OnnxruntimeEngine } from '../onnxruntime/engine.ts';
import type { CaptureMode, CaptureTrial } from '../onnxruntime/graph-capture.ts';
import { MissingFeatureError } from '../webgpu/adapter.ts';
import type { CpuOptions } from './open-cpu.ts';
import { openOnnxruntime } from './open-onnxruntime.ts';
import { tellIfSlow } from './tell-if-slow.ts';

export interface GpuOptions extends CpuOptions {
  readonly precision: Precision;
  /** Most images in one batch on a GPU. */
  readonly maxBatch: number;
  readonly adapter: string | undefined;
  readonly allowSoftwareGpu: boolean;
  readonly graphCapture: CaptureMode;
  /** Where measurements are kept between starts; undefined: nowhere. */
  readonly cacheDir: string | undefined;
}

/** The variant of the model in a precision. @throws ConfigError when there is none */
export type OpenVariant = (precision: Precision) => Model;

/** An engine and the model that it runs. */
export interface Opened<E extends Engine = Engine> {
  readonly engine: E;
  /** fp32 where fp16 was asked for and cannot be had. */
  readonly model: Model;
}
export type OpenedGpu = Opened<OnnxruntimeEngine>;

/**
 * @param accept - asked before the model is loaded; what it throws ends the opening
 * @throws Error with a sentence for the user
 */
export async function openGpu(
  variant: OpenVariant,
  options: GpuOptions,
  tell: Tell,
  accept?: (adapter: AdapterInfo) => void,
): Promise<OpenedGpu> {
  let doing = 'looking for a GPU';
  const open = async (model: Model, captureMode: CaptureMode): Promise<OpenedGpu> => ({
    model,
    engine: await openOnnxruntime(model, {
      threads: 1,
      maxBatch: options.maxBatch,
      captureMode,
      accept(adapter) {
        accept?.(adapter);
        doing = `making ready the GPU ${adapter.name}: it compiles the network and runs it${adapter.software ? '; it is software, and takes up to a minute or two' : ''}`;
      },
      gpu: {
        adapter: options.adapter,
        allowSoftware: options.allowSoftwareGpu,
        needsF16: model.precision === 'fp16',
      },
    }),
  });
  const openTold = (model: Model, captureMode = options.graphCapture): Promise<OpenedGpu> =>
    tellIfSlow(
      tell,
      () => doing,
      () => open(model, captureMode),
    );
  const openCapturing = async (model: Model): Promise<OpenedGpu> => {
    try {
      const opened = await openTold(model);
      if (opened.engine.capture) tell(captureSentence(opened.engine.capture));
      return opened;
    } catch (error) {
      if (!(error instanceof CaptureError)) throw error;
      tell(`graph capture is not used, it failed: ${error.message}`, 'warn');
      return openTold(model, 'off');
    }
  };
  try {
    return await openCapturing(variant(options.precision));
  } catch (error) {
    if (!(error instanceof MissingFeatureError)) throw error;
    tell(`running fp32: ${error.message}`, 'warn');
    return openCapturing(variant('fp32'));
  }
}

const refusals = {
  slower: 'graph capture is not used, it is no faster',
  different: 'graph capture is not used, its vectors are not the same',
} as const;

/** It may have been asked for. */
const used = ({ issuedMs, replayedMs }: CaptureTrial): string =>
  `graph capture is used for single images${replayedMs < issuedMs ? '' : ', though it was no faster'}`;

const captureSentence = (trial: CaptureTrial): string =>
  `${trial.refused ? refusals[trial.refused] : used(trial)}: ${trial.replayedMs.toFixed(2)} ms an image, ${trial.issuedMs.toFixed(2)} without it`;
