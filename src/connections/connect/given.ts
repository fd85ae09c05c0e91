// What a person gave to connect an account, checked before anything is tried: every fault names its field.
import type { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import type { Provider } from '../../providers/define.ts';
import { Secret } from '../../secret.ts';

export interface Given {
  fields: Record<string, string>;
  secrets: Record<string, string>;
}

export interface Checked {
  fields: Record<string, unknown>;
  secrets: Map<string, Secret>;
}

/**
 * @param defaults fields of the installation (the configured Zillow host, say); what is given comes first
 * @throws DrawbridgeError `invalid_request` with `field`
 */
export function checkGiven(provider: Provider, given: Given, defaults: Record<string, string>): Checked {
  const filled = stripEmpty(given.fields);
  const raw = { ...defaults, ...filled };
  const completed = provider.complete?.(raw) ?? raw;
  const parsed = provider.fields.safeParse(completed);
  if (!parsed.success) throw fieldError(provider, parsed.error.issues[0]);
  const unknown = Object.keys(filled).find((name) => !(name in completed) && !(name in parsed.data));
  if (unknown !== undefined) throw invalid(`${provider.title} has no setting called ${unknown}.`, unknown);
  return { fields: parsed.data, secrets: checkSecrets(provider, given.secrets) };
}

function checkSecrets(provider: Provider, given: Record<string, string>): Map<string, Secret> {
  const unknown = Object.keys(given).find((name) => !provider.secrets.some((field) => field.name === name));
  if (unknown !== undefined) throw invalid(`${provider.title} has no credential called ${unknown}.`, unknown);
  const secrets = new Map<string, Secret>();
  for (const { name, title, hint, optional } of provider.secrets) {
    // A pipe or a paste leaves a line break behind that no credential ends in.
    const value = given[name]?.replace(/[\r\n]+$/, '') ?? '';
    if (value === '' && optional !== true) throw invalid(`${title} is missing. ${hint}`, name);
    // Inside a header or a protocol line such a character would begin another one.
    if (/[\0\r\n]/.test(value)) throw invalid(`${title} must be a single line.`, name);
    if (value !== '') secrets.set(name, new Secret(value));
  }
  const [usual] = provider.secrets;
  // Where each may be left out, one takes the other's place: with none nobody is let in.
  if (provider.auth.kind === 'password' && usual !== undefined && secrets.size === 0) {
    throw invalid(`${usual.title} is missing. ${usual.hint}`, usual.name);
  }
  return secrets;
}

function fieldError(provider: Provider, issue: z.core.$ZodIssue | undefined): DrawbridgeError {
  const field = issue?.path.join('.') ?? '';
  if (issue?.code === 'unrecognized_keys') {
    const [key = ''] = issue.keys;
    return invalid(`${provider.title} has no setting called ${key}.`, key);
  }
  const missing = issue?.code === 'invalid_type' && issue.input === undefined;
  return invalid(
    missing
      ? `${field} is missing: ${provider.title} needs it.`
      : `${field}: ${issue?.message ?? 'is not usable'}.`,
    field,
  );
}

function stripEmpty(fields: Record<string, string>): Record<string, string> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value.trim() !== ''));
}

function invalid(message: string, field: string): DrawbridgeError {
  return new DrawbridgeError('invalid_request', message, { field });
}
