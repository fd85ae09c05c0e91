// The things of the house style that no linter rule covers: found in the syntax tree, so that a comment or
// a string that names them is no offence. `node scripts/forbidden.ts` prints each and exits 1.
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export interface Offence {
  path: string;
  line: number;
  what: string;
}

const longestFile = 500;
const badFolders = new Set(['utils', 'util', 'helpers', 'common', 'shared', 'lib', 'core']);

interface Rule {
  what: string;
  /** Paths (from the root, with /) where it is allowed. */
  allowed: RegExp;
  hits(node: ts.Node): boolean;
}

const isCallOf = (node: ts.Node, object: string, ...names: string[]) =>
  ts.isCallExpression(node) &&
  ts.isPropertyAccessExpression(node.expression) &&
  node.expression.expression.getText() === object &&
  (names.length === 0 || names.includes(node.expression.name.text));
const isGlobalCall = (node: ts.Node, ...names: string[]) =>
  ts.isCallExpression(node) && ts.isIdentifier(node.expression) && names.includes(node.expression.text);
const importsFrom = (node: ts.Node, module: RegExp, name: string) =>
  ts.isImportDeclaration(node) &&
  ts.isStringLiteral(node.moduleSpecifier) &&
  module.test(node.moduleSpecifier.text) &&
  node.importClause?.namedBindings !== undefined &&
  ts.isNamedImports(node.importClause.namedBindings) &&
  node.importClause.namedBindings.elements.some(
    (element) => (element.propertyName ?? element.name).getText() === name,
  );

const sqlRooms = /^src\/(store\/|(memory|queue)\/.*\.sql\.ts$)/;

const rules: Rule[] = [
  {
    what: 'console: stdout belongs to JSON-RPC; use the log or commands/terminal/output',
    allowed: /^$/,
    hits: (n) => ts.isPropertyAccessExpression(n) && n.expression.getText() === 'console',
  },
  {
    what: 'fetch outside egress',
    allowed: /^src\/egress\//,
    hits: (n) =>
      isGlobalCall(n, 'fetch') || (ts.isPropertyAccessExpression(n) && n.getText() === 'globalThis.fetch'),
  },
  {
    what: 'process.env outside config.ts',
    allowed: /^src\/config\.ts$/,
    hits: (n) => ts.isPropertyAccessExpression(n) && n.getText() === 'process.env',
  },
  {
    what: 'the time outside clock.ts: use the handed-in Clock',
    allowed: /^src\/clock\.ts$/,
    hits: (n) =>
      isCallOf(n, 'Date', 'now') ||
      isCallOf(n, 'performance', 'now') ||
      (ts.isNewExpression(n) && n.expression.getText() === 'Date' && (n.arguments?.length ?? 0) === 0),
  },
  {
    what: 'a timer outside clock.ts: use Clock.sleep',
    allowed: /^src\/clock\.ts$/,
    hits: (n) => isGlobalCall(n, 'setTimeout', 'setInterval'),
  },
  {
    what: 'raw SQL outside store/ and *.sql.ts of memory and queue',
    allowed: sqlRooms,
    hits: (n) => importsFrom(n, /^kysely$/, 'sql') || importsFrom(n, /^kysely$/, 'CompiledQuery'),
  },
  {
    what: 'withoutPlugins outside store/',
    allowed: sqlRooms,
    hits: (n) => ts.isPropertyAccessExpression(n) && n.name.text === 'withoutPlugins',
  },
  {
    what: 'SQL built from strings: sql.raw',
    allowed: /^src\/store\//,
    hits: (n) => isCallOf(n, 'sql', 'raw'),
  },
  {
    what: 'Math.random: use ids.ts for identifiers, node:crypto for chance',
    allowed: /^$/,
    hits: (n) => isCallOf(n, 'Math', 'random'),
  },
  {
    what: 'an empty catch swallows the error',
    allowed: /^$/,
    hits: (n) => ts.isCatchClause(n) && n.block.statements.length === 0,
  },
  { what: 'a catch that drops the error: .catch(() => {})', allowed: /^$/, hits: swallowingCatch },
];

function swallowingCatch(node: ts.Node): boolean {
  if (
    !ts.isCallExpression(node) ||
    !ts.isPropertyAccessExpression(node.expression) ||
    node.expression.name.text !== 'catch'
  )
    return false;
  const handler = node.arguments[0];
  return (
    handler !== undefined &&
    ts.isArrowFunction(handler) &&
    ts.isBlock(handler.body) &&
    handler.body.statements.length === 0
  );
}

/** Offences in one file of src; `path` from the root, with forward slashes. */
export function findForbidden(path: string, text: string): Offence[] {
  const source = ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true);
  const offences: Offence[] = [];
  const report = (line: number, what: string) => offences.push({ path, line, what });
  const visit = (node: ts.Node): void => {
    for (const rule of rules) {
      if (!rule.allowed.test(path) && rule.hits(node)) {
        report(source.getLineAndCharacterOfPosition(node.getStart()).line + 1, rule.what);
      }
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  const lines = text.split('\n');
  if (lines.length > longestFile) report(longestFile, `${lines.length} lines: a file ends at ${longestFile}`);
  if (!/^(#!.*\n)?\s*(\/\/|\/\*)/.test(text)) report(1, 'no opening comment: say what the file promises');
  lines.forEach((line, index) => {
    if (/@ts-(ignore|nocheck)/.test(line)) report(index + 1, 'a suppressed type error');
    if (/@ts-expect-error\s*$/.test(line) || /biome-ignore [^:]*:?\s*$/.test(line))
      report(index + 1, 'a suppression without its reason');
    if (/\b(TODO|FIXME|XXX|HACK)\b/.test(line)) report(index + 1, 'unfinished work');
  });
  const folder = dirname(path)
    .split('/')
    .find((name) => badFolders.has(name));
  if (folder !== undefined) report(1, `a folder called ${folder} says nothing`);
  if (!/^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z]+)*$/.test(basename(path)))
    report(1, 'the file name is not kebab-case');
  return offences;
}

/** Every TypeScript file under `root/src`. */
export function sourceFiles(root: string): string[] {
  return readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll('\\', '/'))
    .sort();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..');
  const files = sourceFiles(root);
  const offences = files.flatMap((path) => findForbidden(path, readFileSync(join(root, path), 'utf8')));
  for (const { path, line, what } of offences) console.error(`${path}:${line}: ${what}`);
  console.log(`forbidden: ${offences.length} in ${files.length} files`);
  process.exitCode = offences.length > 0 ? 1 : 0;
}
