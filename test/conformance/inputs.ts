// Inputs made from an operation's own schema: the least that it takes, and each of its texts in turn replaced.
import fc from 'fast-check';
import { z } from 'zod';

export interface JsonSchema {
  type?: string | string[];
  properties?: Record<string, JsonSchema>;
  required?: string[];
  items?: JsonSchema;
  minItems?: number;
  enum?: unknown[];
  const?: unknown;
  anyOf?: JsonSchema[];
  oneOf?: JsonSchema[];
  allOf?: JsonSchema[];
  pattern?: string;
  format?: string;
  minLength?: number;
  minimum?: number;
  exclusiveMinimum?: number;
  default?: unknown;
}

export function schemaOf(input: z.ZodType): JsonSchema {
  return z.toJSONSchema(input, { io: 'input', unrepresentable: 'any' }) as JsonSchema;
}

/** Required members alone, each with a value that its schema takes. */
export function leastInput(input: z.ZodType): unknown {
  return exampleOf(schemaOf(input), () => false);
}

export function exampleOf(schema: JsonSchema, wanted: (path: string) => boolean, path = ''): unknown {
  const branch = schema.anyOf?.[0] ?? schema.oneOf?.[0];
  if (branch !== undefined) return exampleOf(branch, wanted, path);
  if (schema.const !== undefined) return schema.const;
  if (schema.enum !== undefined) return schema.enum[0];
  switch (Array.isArray(schema.type) ? schema.type[0] : schema.type) {
    case 'object':
      return Object.fromEntries(
        Object.entries(schema.properties ?? {})
          .filter(([name]) => schema.required?.includes(name) === true || wanted(`${path}/${name}`))
          .map(([name, one]) => [name, exampleOf(one, wanted, `${path}/${name}`)]),
      );
    case 'array': {
      const count = Math.max(schema.minItems ?? 0, wanted(`${path}/0`) ? 1 : 0);
      return Array.from({ length: count }, (_, index) =>
        exampleOf(schema.items ?? {}, wanted, `${path}/${index}`),
      );
    }
    case 'number':
    case 'integer':
      return Math.max(1, schema.minimum ?? 1, (schema.exclusiveMinimum ?? 0) + 1);
    case 'boolean':
      return true;
    case 'string':
      // Addresses have no format of their own in a schema: their own check refuses any other word.
      return /\/email$/.test(path) ? 'person@example.com' : textOf(schema);
    default:
      return 'any';
  }
}

function textOf({ pattern, format, minLength }: JsonSchema): string {
  if (format === 'email') return 'person@example.com';
  if (format === 'date') return '2026-01-05';
  if (format === 'date-time') return '2026-01-05T12:00:00Z';
  if (format === 'uri' || format === 'url') return 'https://example.com/';
  if (pattern !== undefined) {
    return fc.sample(fc.stringMatching(new RegExp(pattern)), { numRuns: 1, seed: 1 })[0] ?? '';
  }
  return 'abcdefghij'.padEnd(minLength ?? 0, 'x');
}

/** Paths (`/to/0/email`) of every text in a schema. */
export function textsIn(schema: JsonSchema, path = '', depth = 0): string[] {
  if (depth > 6) return [];
  const branches = [...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])];
  const below = (one: JsonSchema, name: string | number) => textsIn(one, `${path}/${name}`, depth + 1);
  return [
    ...new Set([
      ...(schema.type === 'string' && schema.enum === undefined && schema.const === undefined ? [path] : []),
      ...Object.entries(schema.properties ?? {}).flatMap(([name, one]) => below(one, name)),
      ...(schema.items === undefined ? [] : below(schema.items, 0)),
      ...branches.flatMap((one) => textsIn(one, path, depth + 1)),
    ]),
  ];
}

/** The value with one member replaced. */
export function withText(value: unknown, path: string, text: string): unknown {
  const [, name, ...rest] = path.split('/');
  if (name === undefined) return text;
  const below = rest.length === 0 ? '' : `/${rest.join('/')}`;
  if (Array.isArray(value))
    return value.map((one, at) => (String(at) === name ? withText(one, below, text) : one));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, one]) => [key, key === name ? withText(one, below, text) : one]),
  );
}
