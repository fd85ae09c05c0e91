// Whether this process was started by an agent's shell: below a live stdio server, or below the client that
// started one. A hindrance against an agent that approves its own proposals, and no boundary: who may run
// programs as the user can step out of the tree (docs/threat-model.md).
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { promisify } from 'node:util';
import { DrawbridgeError } from '../errors.ts';

export interface ProcessEntry {
  pid: number;
  parent: number;
  /** The program and its arguments. */
  command: readonly string[];
}

/** Looks a process up; undefined when it is gone. */
export type FindProcess = (pid: number) => Promise<ProcessEntry | undefined>;

const deepest = 64;
const run = promisify(execFile);

async function fromProc(pid: number): Promise<ProcessEntry | undefined> {
  try {
    const [stat, cmdline] = await Promise.all([
      readFile(`/proc/${pid}/stat`, 'utf8'),
      readFile(`/proc/${pid}/cmdline`, 'utf8'),
    ]);
    // The name in brackets may hold anything, brackets and spaces too: fields count from the last one.
    const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
    return { pid, parent, command: cmdline.split('\0').filter((part) => part !== '') };
  } catch (error) {
    if (error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ESRCH'))
      return undefined;
    throw error;
  }
}

async function fromPs(pid: number): Promise<ProcessEntry | undefined> {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,command='], { maxBuffer: 16 * 1024 * 1024 });
  for (const line of stdout.split('\n')) {
    const match = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line);
    if (match !== null && Number(match[1]) === pid) {
      return { pid, parent: Number(match[2]), command: (match[3] ?? '').split(' ') };
    }
  }
  return undefined;
}

async function fromWindows(pid: number): Promise<ProcessEntry | undefined> {
  const script = `Get-CimInstance Win32_Process -Filter "ProcessId=${pid}" | Select-Object ParentProcessId,CommandLine | ConvertTo-Json -Compress`;
  const { stdout } = await run('powershell.exe', ['-NoProfile', '-NonInteractive', '-Command', script]);
  const match = /"ParentProcessId":(\d+)/.exec(stdout);
  const command = /"CommandLine":("(?:[^"\\]|\\.)*")/.exec(stdout)?.[1];
  if (match === null) return undefined;
  return {
    pid,
    parent: Number(match[1]),
    command: command === undefined ? [] : String(JSON.parse(command)).split(' '),
  };
}

/** The system's own table of processes. */
export function systemProcesses(platform: NodeJS.Platform): FindProcess {
  if (platform === 'linux') return fromProc;
  return platform === 'win32' ? fromWindows : fromPs;
}

const shells =
  /^-?(?:sh|bash|dash|zsh|ksh|mksh|ash|busybox|fish|cmd|cmd\.exe|powershell|powershell\.exe|pwsh|pwsh\.exe)$/i;
const launchers = /^(?:npx|npm|pnpm|pnpx|yarn|bunx|env|nohup|timeout|setsid|script)(?:\.cmd|\.exe)?$/i;
const launcherScripts = /(?:^|[\\/])(?:npx-cli|npm-cli|pnpm|pnpx|yarn|bunx)(?:\.c?js)?$/i;
const sessionRoots = /^(?:systemd|init|launchd|services\.exe|wininit\.exe|svchost\.exe|explorer\.exe)$/i;

function program(entry: ProcessEntry): string {
  return basename((entry.command[0] ?? '').replaceAll('\\', '/'));
}

/** A shell that runs one command for somebody, or a package runner: it started nothing on its own account. */
function isGoBetween(entry: ProcessEntry): boolean {
  const name = program(entry);
  const rest = entry.command.slice(1);
  if (shells.test(name)) return rest.some((part) => /^-[a-z]*c$|^\/c$|^-command$/i.test(part));
  if (launchers.test(name)) return true;
  // npm and npx set their process title: "npm exec drawbridge-mcp stdio" is one string.
  if (/^(?:npm|npx|pnpm|yarn)\b/.test(entry.command[0] ?? '')) return true;
  return /^node(?:\.exe)?$/i.test(name) && rest.some((part) => launcherScripts.test(part));
}

/** Init, a session manager, or a shell that a person types into: whatever descends from it is no agent's. */
function isPersonsOwn(entry: ProcessEntry): boolean {
  const name = program(entry);
  if (entry.pid <= 1 || sessionRoots.test(name)) return true;
  return (
    shells.test(name) && !isGoBetween(entry) && !entry.command.slice(1).some((part) => !part.startsWith('-'))
  );
}

async function ancestors(pid: number, find: FindProcess): Promise<ProcessEntry[]> {
  const line: ProcessEntry[] = [];
  let entry = await find(pid);
  while (entry !== undefined && entry.parent > 0 && line.length < deepest) {
    const parent = await find(entry.parent);
    if (parent === undefined || line.some((known) => known.pid === parent.pid)) break;
    line.push(parent);
    entry = parent;
  }
  return line;
}

/**
 * The live stdio server, or the client that started it, that `self` descends from; undefined when there is
 * none. The client is the server's parent, go-betweens (`sh -c`, npx) passed over. A parent that is init, a
 * session manager or an interactive shell counts for nothing: all of a desktop descends from it, and a
 * person who tries `drawbridge stdio` by hand does so in the terminal in which he approves.
 */
export async function agentAbove(
  self: number,
  stdioServers: readonly number[],
  find: FindProcess,
): Promise<ProcessEntry | undefined> {
  if (stdioServers.length === 0) return undefined;
  const above = new Map((await ancestors(self, find)).map((entry) => [entry.pid, entry]));
  for (const pid of stdioServers) {
    const server = above.get(pid);
    if (server !== undefined) return server;
    const client = (await ancestors(pid, find)).find((entry) => !isGoBetween(entry));
    if (client === undefined || isPersonsOwn(client)) continue;
    const shared = above.get(client.pid);
    if (shared !== undefined) return shared;
  }
  return undefined;
}

/**
 * Refuses what only a person may do when an agent's shell started it.
 * @param act what is refused, `approve`
 * @throws DrawbridgeError `permission_denied`; also when a stdio server lives and the processes cannot be read
 */
export async function refuseBelowAgent(
  act: string,
  stdioServers: readonly number[],
  given: { self?: number; find?: FindProcess } = {},
): Promise<void> {
  const find = given.find ?? systemProcesses(process.platform);
  let above: ProcessEntry | undefined;
  try {
    above = await agentAbove(given.self ?? process.pid, stdioServers, find);
  } catch (cause) {
    throw new DrawbridgeError(
      'permission_denied',
      `${act} needs to know who started it while an agent is connected, and the list of processes cannot be read. Close the agent's program, or decide on the approval page.`,
      { cause },
    );
  }
  if (above === undefined) return;
  throw new DrawbridgeError(
    'permission_denied',
    `${act} is for a person: this was started by the program that also runs a Drawbridge server for an agent (process ${above.pid}). Use a terminal of your own, or the approval page.`,
    { retry: 'ask' },
  );
}
