// A provider is added in its own file or folder: no other room imports it, or asks for it by its id. What is named
// here is all that knows another one.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { expect, test } from 'vitest';
import { catalog } from '../../src/providers/catalog.ts';

const src = new URL('../../src/', import.meta.url).pathname;

/** Places that know a provider that is not theirs, and why. */
const known: Readonly<Record<string, readonly string[]>> = {
  // Its address can be set, for the sandbox.
  'connections/create.ts': ['zillow'],
  // Feeds of the dialects are its own.
  'providers/bridge/index.ts': ['reso'],
  'providers/spark/index.ts': ['reso'],
  // The providers of a preset bear the names of their mail.
  'providers/mailbox/fields.ts': ['gmail', 'outlook'],
};
/** Words that are ids and mean something else in code; providers that are parts of the product itself. */
const words = new Set(['brain', 'files', 'mailbox', 'mcp', 'spark', 'bridge']);

const files = readdirSync(src, { recursive: true, encoding: 'utf8' })
  .map((path) => path.replaceAll('\\', '/'))
  .filter((path) => path.endsWith('.ts') && path !== 'providers/catalog.ts');

test('no room imports a provider or asks for it by its id, but for those that are named here', () => {
  const ids = catalog.map(({ id }) => id);
  const found: Record<string, string[]> = {};
  for (const path of files) {
    for (const id of namesIn(path, ids)) {
      if (path.startsWith(`providers/${id}/`) || path === `providers/${id}.ts`) continue;
      found[path] = [...(found[path] ?? []), id].sort();
    }
  }
  expect(found).toEqual(known);
});

test('every provider of the catalogue was looked for where it stands', () => {
  for (const { id } of catalog) {
    const own = files.filter((path) => path.startsWith(`providers/${id}/`) || path === `providers/${id}.ts`);
    expect(own, id).not.toEqual([]);
  }
});

/** Ids that stand as a whole text, as the name of a member, or as the folder or file of an import. */
function namesIn(path: string, ids: readonly string[]): Set<string> {
  const names = new Set<string>();
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) {
      const imports = ts.isImportDeclaration(node.parent) || ts.isExportDeclaration(node.parent);
      const target = imports ? join('/', path, '..', node.text) : '';
      for (const id of ids) {
        if (imports && (target.startsWith(`/providers/${id}/`) || target === `/providers/${id}.ts`)) {
          names.add(id);
        }
        if (!imports && node.text === id && !words.has(id)) names.add(id);
      }
    }
    if (
      ts.isPropertyAssignment(node) &&
      ids.includes(node.name.getText()) &&
      !words.has(node.name.getText())
    ) {
      names.add(node.name.getText());
    }
    ts.forEachChild(node, visit);
  };
  visit(ts.createSourceFile(path, readFileSync(join(src, path), 'utf8'), ts.ScriptTarget.Latest, true));
  return names;
}
