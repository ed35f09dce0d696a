import type { ApiKind } from '../contract/index.js';
import { GateError, type GateClient } from '../runpod/index.js';

export interface ModelTarget {
  readonly api: ApiKind;
  readonly model: string;
  /** The pod's own scripts create it; a pull would look for it elsewhere. */
  readonly fromFile: boolean;
  /** The pod has a GPU that its model server can use; the emulator's have none. */
  readonly gpuVisible: boolean;
}

/** What people see of a model's way into memory. */
export interface ModelProgress {
  readonly doing: string;
  readonly percent?: number;
}

/** Server answers → model on disk → model in memory → on the GPU. @throws GateError while that is not so */
export async function makeModelReady(
  gate: GateClient,
  target: ModelTarget,
  onProgress: (progress: ModelProgress) => void,
  signal: AbortSignal,
): Promise<void> {
  if (target.api === 'openai') {
    await gate.openai.health({ signal });
    const models = await gate.openai.models({ signal });
    if (!models.includes(target.model)) throw notServed(target.model, models);
    return;
  }
  const { ollama } = gate;
  await ollama.version({ signal });
  const models = (await ollama.tags({ signal })).map(({ name }) => name);
  if (!models.some((name) => isSameModel(name, target.model))) {
    if (target.fromFile)
      throw new GateError('model', { kind: 'not-up', detail: 'the model is being created from its file' });
    await ollama.pull(
      target.model,
      ({ status, completedBytes, totalBytes }) => {
        const percent =
          completedBytes !== undefined && totalBytes ? Math.round((100 * completedBytes) / totalBytes) : undefined;
        onProgress({ doing: status, ...(percent === undefined ? {} : { percent }) });
      },
      { signal },
    );
  }
  onProgress({ doing: 'loading into memory' });
  await ollama.preload(target.model, { signal });
  const loaded = (await ollama.ps({ signal })).find(({ name }) => isSameModel(name, target.model));
  if (!loaded) throw new GateError('model', { kind: 'not-up', detail: 'the model is not in memory yet' });
  if (target.gpuVisible && loaded.sizeVramBytes < loaded.sizeBytes) {
    const share = Math.round((100 * loaded.sizeVramBytes) / loaded.sizeBytes);
    throw new GateError('model', {
      kind: 'refused',
      detail: `only ${share} % of the model fit on the GPU: take a smaller model or a larger GPU`,
    });
  }
}

/** Ollama adds `:latest` to a name without a tag. */
function isSameModel(a: string, b: string): boolean {
  const tagged = (name: string): string => (name.includes(':') ? name : `${name}:latest`);
  return tagged(a) === tagged(b);
}

function notServed(model: string, models: readonly string[]): GateError {
  return new GateError('model', {
    kind: 'refused',
    detail: `"${model}" is not served, only ${models.join(', ') || 'nothing'}`,
  });
}
