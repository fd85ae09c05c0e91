// What a model is shown of a schema says what to write, and nothing that only costs room.
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { inputFaults } from '../../src/input-faults.ts';
import { catalog } from '../../src/providers/catalog.ts';
import { plain } from '../../src/tools/call/plain-schema.ts';

const shown = (schema: z.ZodType) =>
  plain(z.toJSONSchema(schema, { io: 'input', unrepresentable: 'any' }), 'input');

test('a format that has a name is shown without the expression behind it', () => {
  expect(shown(z.object({ at: z.iso.datetime({ offset: true }) }))).toEqual({
    type: 'object',
    properties: { at: { type: 'string', format: 'date-time' } },
    required: ['at'],
  });
});

test('an expression is shown where it is short, or where nothing else says what is meant', () => {
  const long =
    /^(?:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa|bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb|cccccccccccccccccccccccccccccc)$/u;
  const properties = shown(
    z.object({
      id: z
        .string()
        .regex(/^C\d+$/u)
        .describe('Id'),
      path: z.string().regex(long).describe('Path'),
      other: z.string().regex(long),
    }),
  );
  expect(properties).toMatchObject({
    properties: {
      id: { pattern: '^C\\d+$' },
      path: { type: 'string', description: 'Path' },
      other: { pattern: long.source },
    },
  });
  expect(JSON.stringify(properties).split('aaa|bbb')).toHaveLength(2);
});

test('fields and properties of those names stay what they are', () => {
  const schema = shown(z.object({ format: z.string(), pattern: z.string(), $schema: z.string() }));
  expect(Object.keys((schema as { properties: object }).properties)).toEqual([
    'format',
    'pattern',
    '$schema',
  ]);
});

test('no operation of ours is shown with an expression that nobody reads', async () => {
  for (const { load } of catalog) {
    const provider = await load();
    for (const [name, { input }] of Object.entries(provider.operations)) {
      const patterns = JSON.stringify(shown(input)).match(/"pattern":"(?:[^"\\]|\\.)*"/gu) ?? [];
      for (const one of patterns) expect(one.length, `${provider.id} ${name}: ${one}`).toBeLessThan(200);
    }
  }
});

describe('a wrong input is told how to write it', () => {
  const schema = z.object({
    at: z.iso.datetime({ offset: true }).optional(),
    day: z.iso.date().optional(),
    to: z.array(z.object({ email: z.email() })).optional(),
    folder: z
      .string()
      .regex(/^[a-z]+$/u)
      .default('inbox')
      .describe('inbox, archive, or an id'),
    code: z
      .string()
      .regex(/^[A-Z]+$/u)
      .optional(),
    channel: z.string().regex(/^C/u, 'must be the id of a channel: C0123ABCD').optional(),
  });
  test.each([
    [{ at: 'yesterday' }, 'at: must be a time with its zone, like 2026-03-01T15:00:00Z'],
    [{ day: '1.3.26' }, 'day: must be a date, like 2026-03-01'],
    [{ to: [{ email: 'x' }] }, 'to.0.email: must be an e-mail address'],
    [{ folder: 'in box' }, 'folder: must match /^[a-z]+$/u (inbox, archive, or an id)'],
    [{ code: 'x' }, 'code: must match /^[A-Z]+$/u'],
    [{ channel: 'general' }, 'channel: must be the id of a channel: C0123ABCD'],
  ])('%j', (input, words) => {
    const { error } = schema.safeParse(input);
    if (error === undefined) throw new Error('it passed');
    expect(inputFaults(schema, error, input).map(({ text }) => text)).toEqual([words]);
  });
});
