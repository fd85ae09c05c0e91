// What the environment says of the reranker of orgs that chose none of their own. Whether it holds together is
// checked where the settings of all rerankers are (memory/rerank/settings.ts).
import { z } from 'zod';
import { Secret } from './secret.ts';

export const rerankerVariables = {
  DRAWBRIDGE_RERANKER: z
    .enum(['off', 'cohere', 'voyage', 'tei', 'local'])
    .default('off')
    .describe(
      'A second model that puts the first passages of an answer in order, for orgs that chose nothing with `drawbridge reranker set`. cohere is any server that speaks its rerank API; voyage; tei; local a model from a folder. All but local are sent the question and those passages.',
    ),
  DRAWBRIDGE_RERANKER_URL: z
    .url({ protocol: /^https?$/ })
    .optional()
    .describe(
      "Address of the reranker's server, up to what stands before /rerank. One on this machine needs DRAWBRIDGE_ALLOW_LOOPBACK=1.",
    ),
  DRAWBRIDGE_RERANKER_KEY: z.string().min(1).optional().describe('Key of that server.'),
  DRAWBRIDGE_RERANKER_MODEL: z
    .string()
    .min(1)
    .optional()
    .describe("The model's name there; for local the folder's own name is taken where this is not given."),
  DRAWBRIDGE_RERANKER_FOLDER: z
    .string()
    .min(1)
    .optional()
    .describe(
      'For local: the folder with config.json, tokenizer.json and onnx/model.onnx. Nothing is downloaded.',
    ),
  DRAWBRIDGE_RERANKER_PASSAGES: z.coerce
    .number('must be a whole number')
    .optional()
    .describe('How many passages of an answer are put in order, 2 to 40. Default: 30.'),
  DRAWBRIDGE_RERANKER_TIMEOUT_MS: z.coerce
    .number('must be a whole number')
    .optional()
    .describe('How long an answer waits for it, 100 to 10,000. Default: 1,500.'),
} as const;

const schema = z.object(rerankerVariables);

/** `settings` undefined: none. */
export interface RerankerConfig {
  settings: Record<string, unknown> | undefined;
  key: Secret | undefined;
}

export function rerankerOf(v: z.output<typeof schema>): RerankerConfig {
  const key = v.DRAWBRIDGE_RERANKER_KEY === undefined ? undefined : new Secret(v.DRAWBRIDGE_RERANKER_KEY);
  const kind = v.DRAWBRIDGE_RERANKER;
  if (kind === 'off') return { settings: undefined, key };
  const folder = v.DRAWBRIDGE_RERANKER_FOLDER;
  const name = folder?.split(/[/\\]/u).findLast((part) => part !== '');
  const given = {
    kind,
    url: v.DRAWBRIDGE_RERANKER_URL,
    model: v.DRAWBRIDGE_RERANKER_MODEL ?? (kind === 'local' ? name : undefined),
    folder,
    passages: v.DRAWBRIDGE_RERANKER_PASSAGES,
    timeoutMs: v.DRAWBRIDGE_RERANKER_TIMEOUT_MS,
  };
  return {
    settings: Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined)),
    key,
  };
}
