// The floors check: dependency-cruiser over src, failing also when it looked at fewer modules than src has
// (a cruiser that reads nothing finds nothing).
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { sourceFiles } from './forbidden.ts';

/** What breaks the floors under `root`, one line each; empty when all is well. `folders`: what is cruised. */
export async function checkFloors(root: string, folders = ['src']): Promise<string[]> {
  const from = process.cwd();
  process.chdir(root);
  try {
    const config = (await import(pathToFileURL(join(import.meta.dirname, '../.dependency-cruiser.mjs')).href))
      .default;
    const { output } = await cruise(folders, {
      ruleSet: { forbidden: config.forbidden },
      validate: true,
      ...config.options,
    });
    const result = output as ICruiseResult;
    const seen = new Set(result.modules.map((module) => module.source));
    const missed = sourceFiles(root).filter((path) => !seen.has(path));
    return [
      ...missed.map((path) => `${path}: was not looked at`),
      ...result.summary.violations.map((v) => `${v.from} → ${v.to}: ${v.rule.name}`),
    ];
  } finally {
    process.chdir(from);
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const faults = await checkFloors(join(import.meta.dirname, '..'));
  for (const fault of faults) console.error(fault);
  console.log(`floors: ${faults.length} faults`);
  process.exitCode = faults.length > 0 ? 1 : 0;
}
