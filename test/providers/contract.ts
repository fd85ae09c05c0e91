// The providers' own contracts, where this machine has them: a folder `contracts` beside the repository
// (or CONTRACT_CHECK, the path of its checker). They may not be redistributed, so a fresh clone has none.
import { existsSync, readdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export interface Exchange {
  provider: string;
  method: string;
  url: string;
  headers: Record<string, string>;
  body?: unknown;
}

type Check = (exchange: Exchange) => { ok: boolean; operation: string | null; errors: string[] };

function findChecker(): string | undefined {
  const named = process.env['CONTRACT_CHECK'];
  if (named !== undefined) return resolve(named);
  const beside = fileURLToPath(new URL('../../../', import.meta.url));
  return readdirSync(beside)
    .map((name) => resolve(beside, name, 'contracts', 'check', 'index.mjs'))
    .find((path) => existsSync(path));
}

/** The checker, or why there is none. */
export async function contractChecker(): Promise<{ check: Check } | { missing: string }> {
  const path = findChecker();
  if (path === undefined) return { missing: 'no contracts beside the repository' };
  try {
    return { check: ((await import(pathToFileURL(path).href)) as { checkExchange: Check }).checkExchange };
  } catch (error) {
    return {
      missing: `the contract checker does not load: ${error instanceof Error ? error.message : error}`,
    };
  }
}
