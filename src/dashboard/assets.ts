// The pages' own style and scripts: files beside the program, sent under an address that names their
// content, so that a browser may keep them for good.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';

const types = {
  'style.css': 'text/css; charset=utf-8',
  'accounts.css': 'text/css; charset=utf-8',
  'memory.css': 'text/css; charset=utf-8',
  'inbox.css': 'text/css; charset=utf-8',
  'page.js': 'text/javascript; charset=utf-8',
  'passkeys.js': 'text/javascript; charset=utf-8',
  'keys.js': 'text/javascript; charset=utf-8',
  'icon.svg': 'image/svg+xml',
} as const;

export type AssetName = keyof typeof types;

interface Asset {
  body: string;
  type: string;
  path: string;
}

const loaded = new Map<AssetName, Asset>();

/** The named file; read once. */
export function asset(name: AssetName): Asset {
  const known = loaded.get(name);
  if (known !== undefined) return known;
  const body = readFileSync(new URL(`./assets/${name}`, import.meta.url), 'utf8');
  const hash = createHash('sha256').update(body).digest('hex').slice(0, 16);
  const made = { body, type: types[name], path: `/assets/${hash}/${name}` };
  loaded.set(name, made);
  return made;
}

export function isAsset(name: string): name is AssetName {
  return Object.hasOwn(types, name);
}
