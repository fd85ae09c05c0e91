// One contact as writes meet it: where it is, how it stands, how it is named on the page of approval.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { LiveRecord, LookUp, ProviderContext, WriteContext, WriteOutcome } from '../define.ts';
import { ifThere, send } from '../request.ts';
import { hashOf, http } from './http.ts';
import { audience, email } from './reads.ts';
import { memberPage, type RawMember, rawList, rawMember } from './shapes.ts';

export const who = z.strictObject({ audience, email });
export type Who = z.infer<typeof who>;

export const memberPath = '/lists/{list}/members/{hash}';
export const at = ({ audience, email }: Who) => ({ list: audience, hash: hashOf(email) });
export const reference = ({ audience, email }: Who): string => `${audience}/${hashOf(email)}`;

/** Undefined: not there. @throws DrawbridgeError */
export async function memberAt(context: ProviderContext, payload: Who): Promise<RawMember | undefined> {
  return ifThere(
    send(context, http, {
      method: 'GET',
      path: memberPath,
      params: at(payload),
      output: rawMember,
    }),
  );
}

/** @throws DrawbridgeError `not_found` */
export async function standing(context: ProviderContext, payload: Who): Promise<RawMember> {
  const found = await memberAt(context, payload);
  if (found !== undefined) return found;
  throw new DrawbridgeError(
    'not_found',
    `There is no contact ${payload.email} in audience ${payload.audience}.`,
    {
      field: 'email',
    },
  );
}

/** What people call the audience. @throws DrawbridgeError `not_found` */
export async function audienceName(context: ProviderContext, list: string): Promise<string> {
  const query = { fields: 'id,name' };
  const request = { method: 'GET', path: '/lists/{list}', params: { list }, query, output: rawList } as const;
  return (await send(context, http, request)).name;
}

/** How the page of approval names it: people know audiences by their names. */
export async function shown(
  context: ProviderContext,
  raw: RawMember,
  more?: string,
): Promise<Pick<LiveRecord, 'title' | 'url'>> {
  const name = raw.full_name ?? '';
  const parts = [raw.email_address, ...(name === '' ? [] : [name]), ...(more === undefined ? [] : [more])];
  const title = `${parts.join(', ')} (audience ${await audienceName(context, raw.list_id)})`;
  return { title, ...memberPage(context, raw) };
}

export function outcomeOf(
  context: WriteContext,
  raw: RawMember,
  more: Record<string, unknown>,
): WriteOutcome {
  return {
    reference: `${raw.list_id}/${raw.id}`,
    ...memberPage(context, raw),
    details: { email: raw.email_address, status: raw.status, ...more },
  };
}

export const fieldOf = (raw: RawMember, name: string): unknown => raw.merge_fields?.[name] ?? '';
export const tagsOf = (raw: RawMember): string[] => (raw.tags ?? []).map(({ name }) => name).sort();
export const absent = ({ email, audience }: Who): LookUp => ({
  found: false,
  conclusive: true,
  evidence: `There is no contact ${email} in audience ${audience}.`,
});
export const quoted = (value: string): string =>
  value === '' ? '(cleared)' : `“${value.replace(/\s+/g, ' ').trim()}”`;
