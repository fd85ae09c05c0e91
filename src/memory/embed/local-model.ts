// A model from a folder of this machine, run by transformers.js, which the user installs: nothing of it ships, and
// nothing is downloaded. In a thread of its own.
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readdir, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

const library = '@huggingface/transformers';

export interface LocalTask {
  folder: string;
  /** Folder that is searched for the library first, and where users are told to install it. */
  home: string;
  pooling: 'mean' | 'cls';
  precision: string;
  /** None: only the version is asked for. */
  texts: readonly string[];
}
export type LocalAnswer =
  | { vectors: Float32Array; dimensions: number; version: string }
  /** What a person can mend. */
  | { fault: string };

interface Tensor {
  dims: number[];
  data: Float32Array;
}
type Extract = (
  texts: string[],
  how: { pooling: string; normalize: boolean },
) => Promise<Tensor & { dispose?(): void }>;
interface Library {
  env: Record<string, unknown>;
  pipeline(task: string, model: string, how: Record<string, unknown>): Promise<Extract>;
  AutoTokenizer: { from_pretrained(model: string, how: object): Promise<Tokenize> };
  AutoModelForSequenceClassification: { from_pretrained(model: string, how: object): Promise<Classify> };
}
type Tokenize = (
  texts: string[],
  how: { text_pair: string[]; padding: boolean; truncation: boolean },
) => unknown;
type Classify = (inputs: unknown) => Promise<{ logits: Tensor & { dispose?(): void } }>;

class Mendable extends Error {
  override readonly name = 'Mendable';
}

/** Where the library is: below the home folder, else beside this program. */
async function findLibrary(home: string): Promise<Library> {
  for (const from of [join(home, 'package.json'), import.meta.filename]) {
    let found: string;
    try {
      found = createRequire(from).resolve(library);
    } catch (thrown) {
      if (isMissing(thrown)) continue;
      throw thrown;
    }
    return (await import(pathToFileURL(found).href)) as Library;
  }
  // Without its scripts: one of them downloads a graphics card's libraries.
  throw new Mendable(
    `Local models need ${library}, which is not shipped. Install it: npm install --ignore-scripts --prefix ${JSON.stringify(home)} ${library}`,
  );
}

function isMissing(thrown: unknown): boolean {
  return thrown instanceof Error && 'code' in thrown && thrown.code === 'MODULE_NOT_FOUND';
}

/** The library, bound to the folder's own: twice, by its own switch and by having nothing to fetch with. */
export async function loadLibrary(home: string, path: string): Promise<Library> {
  const library = await findLibrary(home);
  Object.assign(library.env, {
    allowRemoteModels: false,
    allowLocalModels: true,
    localModelPath: dirname(path),
  });
  return library;
}

/** SHA-256 over all files that make the model what it is. */
async function versionOf(folder: string): Promise<string> {
  const hash = createHash('sha256');
  for (const below of ['', 'onnx']) {
    const names = await readdir(join(folder, below)).catch((thrown: NodeJS.ErrnoException) => {
      if (thrown.code !== 'ENOENT') throw thrown;
      throw new Mendable(
        `${join(folder, below)} is not there. A model's folder holds config.json, tokenizer.json and onnx/model.onnx.`,
      );
    });
    for (const name of names.sort()) {
      const path = join(folder, below, name);
      if (!/\.(json|txt|onnx|onnx_data)$/u.test(name) || !(await stat(path)).isFile()) continue;
      hash.update(`${below}/${name}\n`);
      for await (const part of createReadStream(path)) hash.update(part as Buffer);
    }
  }
  return hash.digest('hex').slice(0, 16);
}

interface Loaded {
  extract: Extract;
  version: string;
}

/** A function that answers tasks; a model is loaded once. */
export function createLocalModel(): (task: LocalTask) => Promise<LocalAnswer> {
  const loaded = new Map<string, Promise<Loaded>>();

  async function load({ folder, home, precision }: LocalTask): Promise<Loaded> {
    const path = resolve(folder);
    const { pipeline } = await loadLibrary(home, path);
    const version = await versionOf(path);
    const extract = await pipeline('feature-extraction', basename(path), {
      dtype: precision,
      device: 'cpu',
      local_files_only: true,
    });
    return { extract, version };
  }

  return async (task) => {
    const key = `${resolve(task.folder)}\n${task.precision}`;
    try {
      const loading = loaded.get(key) ?? load(task);
      loaded.set(key, loading);
      const { extract, version } = await loading;
      if (task.texts.length === 0) return { vectors: new Float32Array(0), dimensions: 0, version };
      const tensor = await extract([...task.texts], { pooling: task.pooling, normalize: true });
      const [count = 0, dimensions = 0] = tensor.dims;
      if (tensor.dims.length !== 2 || count !== task.texts.length)
        return { fault: `The model in ${task.folder} gives no vector a text.` };
      const vectors = Float32Array.from(tensor.data);
      tensor.dispose?.();
      return { vectors, dimensions, version };
    } catch (thrown) {
      loaded.delete(key);
      return { fault: faultOf(thrown, task.folder) };
    }
  };
}

export function faultOf(thrown: unknown, folder: string): string {
  if (thrown instanceof Mendable) return thrown.message;
  return `The model in ${folder} cannot be used: ${thrown instanceof Error ? thrown.message : String(thrown)}`;
}
