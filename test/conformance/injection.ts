// Hostile text in every text of every input of a provider: what leaves must go to the hosts and paths that the
// operations have for harmless input, with the parameters that they have for it.
import { type Call, onExchange } from '../../sandbox/providers.ts';
import type { ReadOperation, WriteOperation } from '../../src/providers/define.ts';
import { exampleOf, schemaOf, textsIn, withText } from './inputs.ts';
import type { ProviderWorld } from './provider-world.ts';

const hostile = [
  '../../admin/secrets',
  '..%2f..%2fadmin',
  'x/../../../y?all=true#z',
  'a&admin=true&pageToken=p',
  '\\\\evil.example\\share',
  'https://evil.example/steal',
  '//evil.example:8443@evil.example/',
  'a\r\nHost: evil.example\r\n\r\nGET /admin',
  '\u0000\u202e{id}%00',
];

const marker = 'harmless';
/** What left, over HTTP or as a command of another protocol. */
type Left = Pick<Call, 'method' | 'host' | 'path' | 'query'>;
const addressOf = ({ path, query }: Left): string => `${path}?${query}`;

/** A command of another protocol: what it names stands where a call has its path. */
function commandOf(line: string): Left {
  const [, method = '', named = ''] = /^(.*?)(?: (\S*@\S*))?$/s.exec(line) ?? [];
  return { method, host: '', path: `/${encodeURIComponent(named)}`, query: new URLSearchParams() };
}

/** What is the same in every call of one path: host, the first segments, how many there are; input stands as `*`. */
function formOf({ method, host, path }: Left, input: unknown): string {
  const texts = new Set(stringsIn(input).map(encodeURIComponent));
  const segments = path.split('/').map((segment) => (texts.has(segment) ? '*' : segment));
  return `${method} ${host} /${segments.slice(1, 3).join('/')} ${segments.length}`;
}

function stringsIn(value: unknown): string[] {
  if (typeof value === 'string') return value.isWellFormed() ? [value] : [];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(stringsIn) : [];
}

/** @returns how many calls left with hostile input, and what was wrong with them, a line each */
export async function injectionFaults(world: ProviderWorld): Promise<{ reached: number; faults: string[] }> {
  const connection = await world.connect();
  const bound = await world.context(connection);
  const { operations } = await world.connections.operations(world.org, connection.id);

  async function callsOf(operation: ReadOperation | WriteOperation, input: unknown): Promise<Left[]> {
    const parsed = operation.input.safeParse(input);
    if (!parsed.success) return [];
    const left: Left[] = [];
    const before = world.emulated.talk?.asked().map(({ length }) => length) ?? [];
    const end = onExchange(({ call }) => void left.push(call));
    try {
      if (operation.effect !== 'read') operation.validate?.(parsed.data);
      await operation.run(bound, parsed.data);
    } catch {
      // Refused, by us or by the other side: what left, left.
    } finally {
      end();
    }
    for (const [at, lines] of (world.emulated.talk?.asked() ?? []).entries()) {
      left.push(...lines.slice(before[at]).map(commandOf));
    }
    return left;
  }

  const bases = operations.map(({ name, operation }) => {
    const schema = schemaOf(operation.input);
    const sample = world.emulated.samples[name] ?? {};
    const filled = (wanted: (path: string) => boolean) => ({
      ...(exampleOf(schema, wanted) as object),
      ...sample,
    });
    const withOnly = (path: string) => filled((at) => path === at || path.startsWith(`${at}/`));
    return { name, operation, texts: textsIn(schema), filled, withOnly };
  });

  // Form → the parameters that it has.
  const known = new Map<string, Set<string>>();
  for (const { operation, texts, filled, withOnly } of bases) {
    const harmless = [filled(() => false), filled(() => true), ...texts.map(withOnly)];
    for (const input of harmless) {
      for (const call of await callsOf(operation, input)) {
        const form = formOf(call, input);
        known.set(form, new Set([...(known.get(form) ?? []), ...call.query.keys()]));
      }
    }
  }

  let reached = 0;
  const faults: string[] = [];
  for (const { name, operation, texts, withOnly } of bases) {
    for (const path of texts) {
      const base = withOnly(path);
      // What harmless input does not bring into the address is tried less.
      const marked = await callsOf(operation, withText(base, path, marker));
      const inBody = marked.length > 0 && !marked.some((call) => addressOf(call).includes(marker));
      for (const text of inBody ? hostile.slice(0, 2) : hostile) {
        const input = withText(base, path, text);
        for (const call of await callsOf(operation, input)) {
          reached += 1;
          const form = formOf(call, input);
          const names = known.get(form);
          const added = [...call.query.keys()].filter((one) => names?.has(one) !== true);
          if (names !== undefined && added.length === 0) continue;
          faults.push(`${name} ${path} ${JSON.stringify(text)}: ${form}, new parameters: ${added}`);
        }
      }
    }
  }
  return { reached, faults };
}
