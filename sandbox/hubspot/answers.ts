// The shapes of HubSpot's answers, good and bad.
import type { Answer } from '../http.ts';
import { type CrmObject, type CrmState, timeNames } from './state.ts';

/** Of every error; HubSpot makes a new one each time. */
const correlationId = 'aeb5f871-7f07-4993-9211-075dc63e7cbf';

export function json(status: number, body: unknown, headers: Record<string, string> = {}): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json;charset=utf-8', ...headers },
    body: JSON.stringify(body),
  };
}

export function refused(
  status: number,
  category: string,
  message: string,
  more: Record<string, unknown> = {},
): Answer {
  return json(status, { status: 'error', message, correlationId, category, ...more });
}

/** What a limit that is used up looks like. */
export function tooMany(policyName: 'SECONDLY' | 'TEN_SECONDLY_ROLLING' | 'DAILY'): Answer {
  const words = { SECONDLY: 'secondly', TEN_SECONDLY_ROLLING: 'ten_secondly_rolling', DAILY: 'daily' };
  return json(429, {
    status: 'error',
    message: `You have reached your ${words[policyName]} limit.`,
    errorType: 'RATE_LIMIT',
    correlationId,
    category: 'RATE_LIMITS',
    policyName,
  });
}

/** The object with the properties that were asked for, or else the few that HubSpot gives of itself. */
export function objectBody(
  state: CrmState,
  object: CrmObject,
  asked: readonly string[] = [],
): Record<string, unknown> {
  const { created, modified } = timeNames(object.type);
  const usual = {
    contacts: ['email', 'firstname', 'lastname'],
    companies: ['name', 'domain'],
    deals: ['dealname', 'amount', 'dealstage', 'pipeline', 'closedate'],
    notes: [],
    tickets: ['subject', 'content', 'hs_pipeline', 'hs_pipeline_stage'],
  }[object.type];
  const names = new Set([
    'hs_object_id',
    created,
    modified,
    ...(asked.length === 0 ? usual : asked.filter((name) => state.knows(object.type, name))),
  ]);
  return {
    id: object.id,
    properties: Object.fromEntries(
      [...names].flatMap((name) => {
        const value = state.value(object, name);
        return value === undefined ? [] : [[name, value]];
      }),
    ),
    createdAt: new Date(object.createdAt).toISOString(),
    updatedAt: new Date(object.updatedAt).toISOString(),
    archived: object.archivedAt !== undefined,
    ...(object.archivedAt === undefined ? {} : { archivedAt: new Date(object.archivedAt).toISOString() }),
  };
}
