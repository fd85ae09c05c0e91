// Bundles what ships into dist/: one entry for the program and one for each worker, code shared between
// them split into chunks, so that `stdio` loads only what it needs. Beside it the licences of what is inside.
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { build } from 'esbuild';
import { bundledFiles, workers } from './bundle.ts';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');
rmSync(dist, { recursive: true, force: true });
mkdirSync(dist, { recursive: true });

const result = await build({
  absWorkingDir: root,
  entryPoints: { cli: 'src/cli.ts', ...workers },
  outdir: 'dist',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node22.18',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  metafile: true,
  logLevel: 'warning',
  external: ['pg-native'],
  // CommonJS packages inside an ES module bundle still ask for require.
  banner: {
    js: "import { createRequire as __drawbridgeRequire } from 'node:module'; const require = __drawbridgeRequire(import.meta.url);",
  },
});
// esbuild writes letters beyond Latin-1 as escapes, but not in expressions and templates; for a single one V8 keeps the
// whole file in memory at two bytes a letter. Where a backslash stands before one, it says no more than the letter.
for (const file of Object.keys(result.metafile.outputs)) {
  const code = readFileSync(join(root, file), 'utf8');
  const escaped = code.replace(/(\\*)([^\0-\xff])/g, (_, before: string, letter: string) => {
    const kept = before.length % 2 === 0 ? before : before.slice(1);
    return `${kept}\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  if (escaped !== code) writeFileSync(join(root, file), escaped);
}
for (const [name, from] of Object.entries(bundledFiles)) {
  mkdirSync(dirname(join(dist, name)), { recursive: true });
  writeFileSync(join(dist, name), readFileSync(join(root, from)));
}

// MIT, BSD and ISC ask that their notice travels with the code.
const packages = new Set(
  Object.keys(result.metafile.inputs).flatMap(
    (input) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(input)?.[1] ?? [],
  ),
);
/** What a package has inside it under another licence than its own. */
const apache = readFileSync(join(root, 'node_modules/typescript/LICENSE.txt'), 'utf8').trim();
const carries: Record<string, string> = {
  unpdf: `\n\n### pdf.js, inside unpdf (Apache-2.0)\n\nCopyright Mozilla Foundation and contributors\n\n${apache}`,
};
const notices = [...packages].sort().map((name) => {
  const folder = join(root, 'node_modules', name);
  const manifest = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    version: string;
    license?: string;
  };
  return `## ${name} ${manifest.version} (${manifest.license ?? 'see the text'})\n\n${licenceText(folder)}${carries[name] ?? ''}`;
});
writeFileSync(
  join(dist, 'THIRD-PARTY-LICENSES.md'),
  `# What is inside the bundle\n\n${notices.join('\n\n')}\n`,
);
const bytes = Object.values(result.metafile.outputs).reduce((sum, output) => sum + output.bytes, 0);
console.log(
  `dist: ${Object.keys(result.metafile.outputs).length} files, ${(bytes / 1e6).toFixed(1)} MB, ${packages.size} packages inside`,
);

function licenceText(folder: string): string {
  for (const name of [
    'LICENSE',
    'LICENSE.md',
    'LICENSE.txt',
    'LICENCE',
    'license',
    'License',
    'LICENSE-MIT',
    'COPYING',
  ]) {
    try {
      return readFileSync(join(folder, name), 'utf8').trim();
    } catch (thrown) {
      if ((thrown as NodeJS.ErrnoException).code !== 'ENOENT') throw thrown;
    }
  }
  return 'The package carries no licence file; its manifest names the licence above.';
}
