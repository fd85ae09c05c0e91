// The command line: one line a command, the work is in commands/. `stdio` goes before everything, and of
// the others only the one that is asked for is loaded.
import type { Command } from 'commander';
import type { Declare } from './commands/command.ts';

interface Line {
  name: string;
  summary: string;
  load(): Promise<{ declare: Declare }>;
}

const lines: readonly Line[] = [
  {
    name: 'stdio',
    summary: 'serve MCP on standard input and output, for a desktop client',
    load: () => import('./commands/stdio.ts'),
  },
  {
    name: 'serve',
    summary: 'serve the pages and MCP over HTTP',
    load: () => import('./commands/serve.ts'),
  },
  {
    name: 'search',
    summary: 'ask one question over everything in memory',
    load: () => import('./commands/memory/search.ts'),
  },
  {
    name: 'explain',
    summary: 'why memory answers a question as it does: what each score is made of',
    load: () => import('./commands/memory/explain.ts'),
  },
  {
    name: 'sensitivity',
    summary: 'hide kinds of records, accounts or labels from agents',
    load: () => import('./commands/memory/sensitivity.ts'),
  },
  { name: 'connect', summary: 'connect an account', load: () => import('./commands/connections/connect.ts') },
  {
    name: 'connections',
    summary: 'list connected accounts',
    load: () => import('./commands/connections/connections.ts'),
  },
  {
    name: 'disconnect',
    summary: 'remove an account and its credentials',
    load: () => import('./commands/connections/disconnect.ts'),
  },
  {
    name: 'sync',
    summary: 'bring what is new from connected accounts',
    load: () => import('./commands/connections/sync.ts'),
  },
  {
    name: 'import',
    summary: 'import files: mail, calendars, contacts, notes',
    load: () => import('./commands/memory/import.ts'),
  },
  {
    name: 'clients',
    summary: 'who you work with, what is known of them, and which are one',
    load: () => import('./commands/memory/clients.ts'),
  },
  {
    name: 'properties',
    summary: 'homes, where each was met, what it cost when, and which listings are one home',
    load: () => import('./commands/memory/properties.ts'),
  },
  {
    name: 'brain',
    summary: 'what you say of yourselves: services, prices, voice',
    load: () => import('./commands/memory/brain.ts'),
  },
  {
    name: 'embedder',
    summary: 'what turns text into vectors: built in, or a model of others',
    load: () => import('./commands/memory/embedder.ts'),
  },
  {
    name: 'reranker',
    summary: 'a second model that puts the first passages of an answer in order; none unless you choose one',
    load: () => import('./commands/memory/reranker.ts'),
  },
  {
    name: 'rebuild',
    summary: 'read all that memory holds anew, from what it kept',
    load: () => import('./commands/memory/rebuild.ts'),
  },
  {
    name: 'informed-by',
    summary: 'what an output was made from, and what of it changed since',
    load: () => import('./commands/memory/informed-by.ts'),
  },
  {
    name: 'actions',
    summary: 'list, show and decide what agents proposed',
    load: () => import('./commands/actions/actions.ts'),
  },
  {
    name: 'policy',
    summary: 'rules for what agents propose: deny, ask or approve',
    load: () => import('./commands/org/policy.ts'),
  },
  {
    name: 'settings',
    summary: 'your time zone, how old an answer of memory may be, and your own addresses',
    load: () => import('./commands/org/settings.ts'),
  },
  {
    name: 'notify',
    summary: 'be told by mail that decisions wait',
    load: () => import('./commands/org/notify.ts'),
  },
  {
    name: 'open',
    summary: 'open the pages in a browser, signed in',
    load: () => import('./commands/open.ts'),
  },
  {
    name: 'keys',
    summary: 'API keys of agents that connect over HTTP',
    load: () => import('./commands/org/keys.ts'),
  },
  {
    name: 'members',
    summary: 'people who may sign in, where sign-in is configured',
    load: () => import('./commands/org/members.ts'),
  },
  {
    name: 'vault',
    summary: 'renew the keys under which credentials are kept',
    load: () => import('./commands/org/vault.ts'),
  },
  {
    name: 'audit',
    summary: 'verify, sign, list the record of what was done',
    load: () => import('./commands/org/audit.ts'),
  },
  { name: 'doctor', summary: "check every part's health", load: () => import('./commands/doctor/doctor.ts') },
  {
    name: 'install',
    summary: "write a client's MCP configuration",
    load: () => import('./commands/install.ts'),
  },
];

async function build(args: readonly string[]): Promise<Command> {
  const [{ Command: Program }, { version }] = await Promise.all([
    import('commander'),
    import('./version.ts'),
  ]);
  const program = new Program('drawbridge');
  program
    .description('Reads recall, writes propose: one MCP server for mail, calendars, contacts and listings.')
    .version(version)
    .usage('COMMAND [options]')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({ outputError: () => undefined });
  const asked = args.find((arg) => !arg.startsWith('-'));
  for (const { name, summary, load } of lines) {
    const command = program.command(name).description(summary);
    if (name === asked) await (await load()).declare(command);
  }
  return program;
}

let program: Command | undefined;

/** The command that was asked for, with its subcommands, as far as there are such. */
function asked(): string {
  const words = ['drawbridge'];
  let at = program;
  for (const arg of args) {
    at = at?.commands.find((command) => command.name() === arg);
    if (at === undefined) break;
    words.push(arg);
  }
  return words.join(' ');
}

async function main(args: readonly string[]): Promise<void> {
  if (args.length === 1 && args[0] === 'stdio') {
    const { stdio } = await import('./commands/stdio.ts');
    return stdio();
  }
  program = await build(args);
  await program.parseAsync([...args], { from: 'user' });
}

const args = process.argv.slice(2);
// Awaited here, at the top: when nothing is left that could end the wait, Node says so and exits with 13. A
// command that did not finish must not look like one that did.
try {
  await main(args);
} catch (thrown) {
  const { report } = await import('./commands/terminal/report.ts');
  process.exitCode = await report(thrown, args, asked());
}
