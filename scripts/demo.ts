// `npm run demo`: a Drawbridge with a sandbox around it, on free ports, in a folder that goes away with it.
// Stays up until Ctrl-C. With --once it walks the story by itself and ends: 0, or 1 naming the step.
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs, styleText } from 'node:util';
import type { Connection } from '../src/connections/connections.ts';
import { type House, openHouse } from './demo-house.ts';
import { Visitor } from './demo-person.ts';
import { story } from './demo-story.ts';

const { values } = parseArgs({ options: { once: { type: 'boolean', default: false } } });
const bold = (text: string) => styleText('bold', text);
const soft = (text: string) => styleText('dim', text);
const took = (since: number) => soft(`${Math.round(performance.now() - since)} ms`);

/** Draws on the current line of a terminal; nothing elsewhere. */
function draw(text: string): void {
  if (process.stderr.isTTY === true) process.stderr.write(`\r\x1b[2K${text}`);
}

function tellOf({ providerTitle, label }: Connection, inserted: number, since: number): void {
  const brought = inserted === 0 ? 'asked live' : `${inserted} records`;
  console.log(`  ✓ ${providerTitle}: ${label}, ${brought} ${took(since)}`);
}

async function fill(house: House): Promise<void> {
  const visitor = new Visitor(house.web.programUrl);
  await visitor.signIn(await house.signInLink());
  for (const connection of await house.connect()) {
    const since = performance.now();
    const inserted = await house.sync(connection, (seen, total) => {
      const part = total === undefined || total === 0 ? 0 : seen / total;
      draw(`${'█'.repeat(Math.round(part * 24)).padEnd(24, '░')} ${connection.label}: ${seen}`);
    });
    draw('');
    tellOf(connection, inserted, since);
  }
  let since = performance.now();
  for await (const connection of house.connectInBrowser(visitor)) {
    tellOf(connection, await house.synced(connection), since);
    since = performance.now();
  }
}

async function walk(house: House): Promise<boolean> {
  const { steps, close } = story(house);
  try {
    for (const [index, step] of steps.entries()) {
      const since = performance.now();
      try {
        const lines = await step.run();
        console.log(`\n${bold(`${index + 1}/${steps.length} ${step.title}`)} ${took(since)}`);
        for (const line of lines) console.log(`      ${line}`);
      } catch (thrown) {
        const why = thrown instanceof Error ? thrown.message : String(thrown);
        console.error(`\n✗ Step ${index + 1}, "${step.title}": ${why}`);
        return false;
      }
    }
    return true;
  } finally {
    await close();
  }
}

async function tell(house: House): Promise<void> {
  const { web, environment, key } = house;
  const program = fileURLToPath(new URL('../src/cli.ts', import.meta.url));
  const stdio = { command: process.execPath, args: [program, 'stdio'], env: environment };
  const http = { type: 'http', url: `${web.programUrl}/mcp`, headers: { Authorization: `Bearer ${key}` } };
  const show = (entry: unknown) =>
    JSON.stringify({ mcpServers: { drawbridge: entry } }, null, 2).replace(/^/gm, '    ');
  console.log(`
${bold('Approvals')}: ${web.url}, signed in by ${await house.signInLink()}
  (the link lives a minute and works once; Enter prints another, help tells what else)

${bold('A client over stdio')}:
${show(stdio)}

${bold('A client over HTTP')}:
${show(http)}

Ask it: “What does Elena Vasquez need in a house, and does 14 Heron Court fit?” Then let it answer her
mail and book a viewing. More to try: docs/guide/demo.md. ${bold('Ctrl-C')} ends everything and leaves nothing.`);
}

/** What a line typed into the running demo does; the answer is printed. */
async function obey(house: House, line: string): Promise<string> {
  const { smtp, caldav, zillow } = house.sandbox;
  const [word = '', ...rest] = line.trim().split(/\s+/);
  if (word === '') return house.signInLink();
  if (word === 'sent') {
    const sent = smtp
      .received()
      .map(({ to, raw }) => `${to.join(', ')}: ${/^Subject: (.*)/m.exec(raw.toString())?.[1]}`);
    return `${sent.length} sent\n${sent.join('\n')}\n${caldav.events().length} events in the calendar`;
  }
  if (word === 'price') {
    const [zpid, price] = rest.map(Number);
    if (zpid === undefined || price === undefined || !(price > 0)) return 'Write: price 20010014 619000';
    zillow.setPrice(zpid, price);
    return `${zpid} costs $${price.toLocaleString('en-US')} from now on.`;
  }
  return 'Enter: a sign-in link. sent: what left. price ID AMOUNT: a listing changes. Ctrl-C: the end.';
}

/** Answers what is typed, until the input or the process ends. */
function listenToPerson(house: House): () => void {
  const input = createInterface({ input: process.stdin });
  input.on('line', (line) => {
    obey(house, line).then(console.log, (thrown: unknown) => console.error(reason(thrown)));
  });
  return () => input.close();
}

const reason = (thrown: unknown) => (thrown instanceof Error ? thrown.message : String(thrown));
const began = performance.now();

/** The exit code of a demo that ended by itself; one that stays up waits for `stopped`. */
async function run(house: House, stopped: Promise<void>): Promise<number> {
  console.log(
    `${bold('Drawbridge')} at ${house.web.url}, with a sandbox of mail, calendars, listings, a CRM and books ${took(began)}`,
  );
  try {
    await fill(house);
  } catch (thrown) {
    console.error(`✗ Step 0, "The accounts connect and sync": ${reason(thrown)}`);
    return 1;
  }
  if (values.once) {
    if (!(await walk(house))) return 1;
    console.log(`\n${bold('Done')}: read, cited, proposed, approved, sent and booked. ${took(began)}`);
    return 0;
  }
  await tell(house);
  const end = listenToPerson(house);
  await stopped;
  end();
  return 0;
}

// Heard from the first moment on, so that an early Ctrl-C leaves nothing behind either.
const stopped = new Promise<void>((resolve) => {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
});
try {
  const house = await openHouse('error');
  try {
    const interrupted = stopped.then(() => (values.once ? 130 : 0));
    process.exitCode = await Promise.race([run(house, stopped), interrupted]);
  } finally {
    await house.close();
  }
} catch (thrown) {
  console.error(`✗ Step 0, "The sandbox and Drawbridge start": ${reason(thrown)}`);
  process.exitCode = 1;
}
// A walk that was interrupted may still hold a line open.
process.exit();
