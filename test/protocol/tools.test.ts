// What clients are shown of the tools: names, schemas, hints, and how much of a model's room they take.
import { Ajv } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { describe, expect, test, vi } from 'vitest';
import { systemClock } from '../../src/clock.ts';
import { callTool } from '../../src/tools/call/call.ts';
import { jsonSchema } from '../../src/tools/call/mount.ts';
import { annotations, type ToolContext } from '../../src/tools/define.ts';
import { tools, visibleTools } from '../../src/tools/surface.ts';
import { createUnderWay } from '../../src/under-way.ts';

const listed = tools.map((tool) => ({
  name: tool.name,
  title: tool.title,
  description: tool.description,
  inputSchema: jsonSchema(tool, 'input'),
  outputSchema: jsonSchema(tool, 'output'),
  annotations: annotations(tool),
}));

test('the five tools that must exist, exist by name, with what they need', () => {
  expect(tools.map((tool) => tool.name)).toEqual([
    'search',
    'ime-search',
    'client-profile',
    'property-detail',
    'send-email',
    'schedule-event',
    'check-availability',
    'read-source',
    'record-attribution',
    'informed-by',
    'action-status',
    'cancel-action',
    'list-actions',
    'list-connections',
    'connect-provider',
    'find-operation',
    'run-operation',
  ]);
  expect(tools.length).toBeLessThanOrEqual(20);
});

test('the whole list stays within 6,500 tokens at four characters a token, output schemas included', () => {
  expect(JSON.stringify({ tools: listed }).length / 4).toBeLessThanOrEqual(6_500);
});

describe.each(listed)('$name', (tool) => {
  test('has a schema of draft 2020-12 that refuses unknown fields', () => {
    for (const schema of [tool.inputSchema, tool.outputSchema]) {
      expect(new Ajv2020({ strict: false }).validateSchema(schema)).toBe(true);
      expect(schema['type']).toBe('object');
    }
    expect(tool.inputSchema['additionalProperties']).toBe(false);
  });

  test.each([
    ['draft 7', Ajv],
    ['draft 2020-12', Ajv2020],
  ])('has schemas that a client compiles whose checker knows %s alone, and is strict', (_draft, Checker) => {
    for (const schema of [tool.inputSchema, tool.outputSchema])
      expect(new Checker({ strict: true }).compile(schema)).toBeTypeOf('function');
  });

  test('has an input schema that asks for no either-or, which strict modes of models refuse', () => {
    const text = JSON.stringify([tool.inputSchema, tool.outputSchema]);
    expect(text).not.toMatch(
      /"(?:anyOf|oneOf|allOf|not|\$ref|\$defs|patternProperties|propertyNames|prefixItems)":/u,
    );
    expect(text).not.toContain('"additionalProperties":{}');
  });

  test('looks as it did', () => {
    expect(tool).toMatchSnapshot();
  });

  test('tells all four hints', () => {
    expect(Object.keys(tool.annotations).sort()).toEqual([
      'destructiveHint',
      'idempotentHint',
      'openWorldHint',
      'readOnlyHint',
    ]);
  });
});

test('a key that may only read is shown nothing that only proposes', () => {
  expect(visibleTools(['read']).every((tool) => tool.kind !== 'propose')).toBe(true);
  expect(visibleTools(['read']).map((tool) => tool.name)).not.toContain('send-email');
  expect(visibleTools([])).toEqual([]);
});

test.each([
  ['search', { limitt: 3 }, 'limitt'],
  ['search', { question: 5 }, 'question'],
  ['send-email', { to: 'a@b.co', subject: 'x', text: 'y' }, 'to'],
  ['schedule-event', { title: 'x', start: '2026-03-01T10:00' }, 'timeZone'],
  ['ime-search', { question: '' }, 'question'],
  ['property-detail', { id: 7 }, 'id'],
  ['search', 'not an object', 'arguments'],
])(
  '%s with %j is answered with the field at fault, before anything is opened',
  async (name, input, field) => {
    const tool = tools.find((known) => known.name === name);
    if (tool === undefined) throw new Error(name);
    const result = await callTool(tool, input, () => Promise.reject(new Error('opened')));
    expect(result.isError).toBe(true);
    expect(JSON.stringify(result.content)).toContain(field);
    expect(JSON.stringify(result)).not.toContain('opened');
  },
);

test.each([
  [
    'search',
    { property: { location: 'x', beds: 3 } },
    'property.beds: no such field. Fields of property are: location, status, minPrice',
  ],
  [
    'check-availability',
    { from: 'a', to: 'b', timeZone: 'UTC', workingHours: { start: '09:00', end: '17:00', zone: 'x' } },
    'workingHours.zone: no such field. Fields of workingHours are: start, end',
  ],
  [
    'check-availability',
    { from: 'a', to: 'b', timeZone: 'UTC', workingHours: { start: '99:00', end: '17:00' } },
    'workingHours.start: must be a time from 00:00 to 23:59',
  ],
  ['read-source', {}, 'uri: is missing'],
  ['search', { question: 5, limit: 1000, kinds: ['mails'] }, 'question: must be text in quotes'],
  ['search', { question: 'x', limit: 1000 }, 'limit: must be at most 25'],
  ['search', { question: 'x', kinds: ['mails'] }, 'kinds.0: must be one of: mail, event'],
  ['ime-search', { question: '' }, 'question: must not be empty'],
  ['search', [], 'arguments: must be an object'],
])('%s with %j is refused in plain words', async (name, input, words) => {
  const tool = tools.find((known) => known.name === name);
  if (tool === undefined) throw new Error(name);
  const { content } = await callTool(tool, input, () => Promise.reject(new Error('opened')));
  expect(content[0]).toMatchObject({ text: expect.stringContaining(words) });
  expect(JSON.stringify(content)).not.toContain('Invalid input');
});

test.each([
  ['search', { question: 'x', kinds: null, since: null, limit: null, property: null, cursor: null }],
  ['search', { property: { location: 'x', status: null, minBeds: null } }],
  ['send-email', { to: ['a@b.co'], cc: null, subject: null, text: 'x', citations: null }],
  ['check-availability', { from: 'a', to: 'b', timeZone: 'UTC', workingHours: null, account: null }],
  ['run-operation', { operation: 'x', account: 'y', input: null, note: null }],
])(
  '%s with %j takes a null for a field left out, as a model says it that must name every field',
  async (name, input) => {
    const tool = tools.find((known) => known.name === name);
    if (tool === undefined) throw new Error(name);
    const opened = Promise.withResolvers<string>();
    await callTool(tool, input, () => {
      opened.resolve('opened');
      return Promise.reject(new Error('enough'));
    });
    expect(await Promise.race([opened.promise, 'refused'])).toBe('opened');
  },
);

test.each([
  ['ime-search', { question: null }, 'question'],
  ['search', { question: 'x', kinds: [null] }, 'kinds.0'],
  ['search', { question: 'x', qurey: null }, 'qurey'],
  [
    'check-availability',
    { from: 'a', to: 'b', timeZone: 'UTC', workingHours: { start: null, end: '17:00' } },
    'workingHours.start',
  ],
])('%s with %j refuses a null that stands for nothing left out', async (name, input, field) => {
  const tool = tools.find((known) => known.name === name);
  if (tool === undefined) throw new Error(name);
  const { isError, content } = await callTool(tool, input, () => Promise.reject(new Error('opened')));
  expect(isError).toBe(true);
  expect(content[0]).toMatchObject({ text: expect.stringContaining(`${field}: `) });
});

test('what an operation is given keeps its nulls', async () => {
  const tool = tools.find(({ name }) => name === 'run-operation');
  if (tool === undefined) throw new Error('no such tool');
  const given: unknown[] = [];
  const asked = {
    ...tool,
    run: async (_context: ToolContext, said: unknown) => {
      given.push(said);
      return { data: {}, text: '' };
    },
  };
  const input = { dueDate: null, lines: [{ note: null }] };
  await callTool(asked, { operation: 'x', account: 'y', input }, async () => office());
  expect(given).toMatchObject([{ input }]);
});

test.each([
  ['is told to the log', false, 1],
  ['is no error where the client had given the call up', true, 0],
])('a failure inside a call %s', async (_what, givenUp, times) => {
  const [tool] = tools;
  if (tool === undefined) throw new Error('no tools');
  const error = vi.fn();
  const failing = { ...tool, run: () => Promise.reject(new Error('Memory is closed.')) };
  const context = office({ error, aborted: givenUp });
  expect(await callTool(failing, { question: 'x' }, async () => context)).toMatchObject({ isError: true });
  expect(error).toHaveBeenCalledTimes(times);
});

/** Of a context, what a call touches by itself. */
function office({
  error = () => undefined,
  aborted = false,
}: {
  error?: () => void;
  aborted?: boolean;
} = {}) {
  const signal = aborted ? AbortSignal.abort() : new AbortController().signal;
  const underWay = createUnderWay(systemClock);
  return { rooms: { log: { error }, underWay }, signal } as unknown as ToolContext;
}

test('what goes wrong inside is answered without its stack or its words', async () => {
  const [tool] = tools;
  if (tool === undefined) throw new Error('no tools');
  const result = await callTool(tool, { question: 'x' }, () =>
    Promise.reject(new Error('secret path /etc/x')),
  );
  expect(result.isError).toBe(true);
  expect(JSON.stringify(result)).not.toMatch(/secret path|at .*\.ts/);
});
