// What the environment says of the embedder of orgs that chose none of their own. Whether it holds together is
// checked where the settings of all embedders are (memory/embed/settings.ts).
import { z } from 'zod';
import { Secret } from './secret.ts';

export const embedderVariables = {
  DRAWBRIDGE_EMBEDDER: z
    .enum(['built-in', 'openai', 'ollama', 'supabase', 'local'])
    .default('built-in')
    .describe(
      'What turns text into vectors for search, for orgs that chose nothing with `drawbridge embedder set`: built-in needs nothing and sends nothing; openai is any server that speaks its embeddings API; ollama; supabase an edge function that runs gte-small; local a model from a folder, run by transformers.js.',
    ),
  DRAWBRIDGE_EMBEDDER_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      "Address of the embedder's server: up to /v1 for openai, of the project for supabase. One on this machine needs DRAWBRIDGE_ALLOW_LOOPBACK=1.",
    ),
  DRAWBRIDGE_EMBEDDER_KEY: z.string().min(1).optional().describe('Key of that server.'),
  DRAWBRIDGE_EMBEDDER_MODEL: z
    .string()
    .min(1)
    .optional()
    .describe("The model's name there; for local the folder's own name is taken where this is not given."),
  DRAWBRIDGE_EMBEDDER_DIMENSIONS: z.coerce
    .number('must be a whole number')
    .int()
    .min(2)
    .max(4_096)
    .optional()
    .describe('Length of its vectors, for models that can be shortened. Default: what the model gives.'),
  DRAWBRIDGE_EMBEDDER_FOLDER: z
    .string()
    .min(1)
    .optional()
    .describe(
      'For local: the folder with config.json, tokenizer.json and onnx/model.onnx. Nothing is downloaded.',
    ),
} as const;

const schema = z.object(embedderVariables);

/** `settings` undefined: the built-in one. */
export interface EmbedderConfig {
  settings: Record<string, unknown> | undefined;
  key: Secret | undefined;
}

export function embedderOf(v: z.output<typeof schema>): EmbedderConfig {
  const key = v.DRAWBRIDGE_EMBEDDER_KEY === undefined ? undefined : new Secret(v.DRAWBRIDGE_EMBEDDER_KEY);
  const kind = v.DRAWBRIDGE_EMBEDDER;
  if (kind === 'built-in') return { settings: undefined, key };
  const folder = v.DRAWBRIDGE_EMBEDDER_FOLDER;
  const name = folder?.split(/[/\\]/u).findLast((part) => part !== '');
  const given = {
    url: v.DRAWBRIDGE_EMBEDDER_URL,
    model: v.DRAWBRIDGE_EMBEDDER_MODEL ?? (kind === 'local' ? name : undefined),
    dimensions: v.DRAWBRIDGE_EMBEDDER_DIMENSIONS,
    folder,
  };
  return {
    settings: {
      kind,
      ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    },
    key,
  };
}
