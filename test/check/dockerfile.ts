// The Dockerfile and the .dockerignore, read as far as ours go: instructions in stages, and which files of the
// repository the build is given.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join, matchesGlob } from 'node:path';

export const root = join(import.meta.dirname, '../..');

export interface Instruction {
  name: string;
  /** Behind its flags. */
  text: string;
  flags: Record<string, string>;
}

export interface Stage {
  image: string;
  alias: string | undefined;
  instructions: Instruction[];
}

/** @throws Error at an instruction that stands before the first FROM */
export function readStages(): Stage[] {
  const lines = readFileSync(join(root, 'Dockerfile'), 'utf8')
    .split('\n')
    .filter((line) => !line.startsWith('#'))
    .join('\n')
    .replaceAll('\\\n', ' ')
    .split('\n')
    .filter((line) => line.trim() !== '');
  const stages: Stage[] = [];
  for (const line of lines) {
    const [, name = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    const flags = Object.fromEntries(
      [...rest.matchAll(/(?<=^|\s)--([a-z-]+)=(\S+)(?=.*)/g)]
        .filter((flag) => /^(?:--[a-z-]+=\S+\s+)*$/.test(rest.slice(0, flag.index)))
        .map(([, key = '', value = '']) => [key, value]),
    );
    const text = rest.replace(/^(?:--[a-z-]+=\S+\s+)+/, '').trim();
    if (name === 'FROM') {
      const [image = '', , alias] = text.split(/\s+/);
      stages.push({ image, alias, instructions: [] });
      continue;
    }
    const stage = stages.at(-1);
    if (stage === undefined) throw new Error(`${line} stands before FROM`);
    stage.instructions.push({ name, text, flags });
  }
  return stages;
}

/** Words of an exec form, `["node", "x"]`. */
export function execForm(text: string): string[] {
  return JSON.parse(text) as string[];
}

/** `A=1 B=2` of an ENV. */
export function variables(text: string): Record<string, string> {
  return Object.fromEntries(text.split(/\s+/).map((pair) => pair.split('=') as [string, string]));
}

/** What `COPY . .` brings: the files that git knows or would add, without what .dockerignore leaves out. */
export function buildContext(): string[] {
  const ignored = readFileSync(join(root, '.dockerignore'), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'));
  return execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '-z'], { cwd: root })
    .toString()
    .split('\0')
    .filter((path) => path !== '' && existsSync(join(root, path)))
    .filter((path) => !ignored.some((glob) => matchesGlob(path, glob) || matchesGlob(path, `${glob}/**`)));
}
