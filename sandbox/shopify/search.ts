// As much of Shopify's search syntax as is asked of it: terms that must all fit, `field:value`, comparisons of
// times, and phrases in quotes with their escapes. https://shopify.dev/docs/api/usage/search-syntax
import type { Node } from './graphql.ts';

interface Term {
  field: string | undefined;
  comparison: string;
  value: string;
}

const pattern = /(?:([a-z_]+):)?(>=|<=|>|<)?("(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|\S+)/g;

function termsOf(query: string): Term[] {
  return [...query.matchAll(pattern)].map(([, field, comparison = '', value = '']) => ({
    field,
    comparison,
    value: /^["']/.test(value) ? value.slice(1, -1).replace(/\\(.)/g, '$1') : value,
  }));
}

const members: Readonly<Record<string, string>> = {
  updated_at: 'updatedAt',
  created_at: 'createdAt',
  financial_status: 'displayFinancialStatus',
  subject_type: 'subjectType',
  operation_type: 'type',
  tag: 'tags',
};

/** Whether a record fits. */
export function fits(query: unknown, node: Node): boolean {
  if (typeof query !== 'string') return true;
  return termsOf(query).every(({ field, comparison, value }) => {
    if (field === undefined) return textOf(node).includes(value.toLowerCase());
    const found = field === 'email' ? emailOf(node) : node[members[field] ?? field];
    if (comparison !== '') return compares(Date.parse(String(found)), comparison, Date.parse(value));
    const values = (Array.isArray(found) ? found : [found]).map((one) => String(one).toLowerCase());
    return values.includes(value.toLowerCase());
  });
}

function compares(found: number, comparison: string, value: number): boolean {
  if (comparison === '>=') return found >= value;
  if (comparison === '<=') return found <= value;
  return comparison === '>' ? found > value : found < value;
}

function emailOf(node: Node): unknown {
  const address = node['defaultEmailAddress'] as { emailAddress?: string } | null | undefined;
  return node['email'] ?? address?.emailAddress;
}

function textOf(node: Node): string {
  const customer = typeof node['customer'] === 'function' ? node['customer']() : undefined;
  return JSON.stringify([node, customer], (_, value) => (typeof value === 'function' ? undefined : value))
    .toLowerCase()
    .replaceAll('\\"', '"')
    .replaceAll('\\\\', '\\');
}
