// The pipelines of deals and tickets, with their stages: a record holds their ids, people know their names.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { type ProviderContext, type ReadOperation, readOperation } from '../define.ts';
import { send } from '../request.ts';
import { http } from './http.ts';
import type { Kind } from './kinds.ts';

const pipelines = z.object({
  results: z.array(
    z.object({
      id: z.string(),
      label: z.string(),
      stages: z.array(z.object({ id: z.string(), label: z.string() })),
    }),
  ),
});
const answer = z.object({
  pipelines: z.array(
    z.object({
      id: z.string(),
      label: z.string(),
      stages: z.array(z.object({ id: z.string(), label: z.string() })),
    }),
  ),
});
type Pipelines = z.infer<typeof answer>;

/** Pipeline and stage → their names: `Sales: Contract sent`. */
export type StageNames = ReadonlyMap<string, string>;

export function pipelinesOperation(kind: Kind): ReadOperation<Record<string, never>, Pipelines> {
  return readOperation<Record<string, never>, Pipelines>({
    effect: 'read',
    title: `List the pipelines of ${kind.many}`,
    description: `Names and ids of the stages that a ${kind.one} of HubSpot goes through; a new one needs such an id.`,
    scopes: kind.scopes.read,
    input: z.strictObject({}),
    output: answer,
    run: (context) => pipelinesOf(context, kind),
  });
}

/** https://developers.hubspot.com/docs/api-reference/crm-pipelines-v3/pipelines/get-crm-v3-pipelines-objectType */
async function pipelinesOf(context: ProviderContext, { type }: Kind): Promise<Pipelines> {
  const params = { type };
  const path = '/crm/v3/pipelines/{type}';
  const { results } = await send(context, http, { method: 'GET', path, params, output: pipelines });
  return { pipelines: results };
}

/** Undefined where the kind has none, or HubSpot does not tell: then the ids stand for themselves. */
export async function stageNames(context: ProviderContext, kind: Kind): Promise<StageNames | undefined> {
  if (kind.stage === undefined) return undefined;
  try {
    const { pipelines: all } = await pipelinesOf(context, kind);
    const named = all.flatMap(({ id, label, stages }) =>
      stages.map((stage) => [stageKey(id, stage.id), `${stage.label} (${label})`] as const),
    );
    return new Map(named);
  } catch (thrown) {
    if (!(thrown instanceof DrawbridgeError && thrown.code === 'permission_denied')) throw thrown;
    context.log.warn({ err: thrown }, 'the names of stages are not told: their ids are kept');
    return undefined;
  }
}

export function stageKey(pipeline: string, stage: string): string {
  return `${pipeline}/${stage}`;
}
