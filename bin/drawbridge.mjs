#!/usr/bin/env node
// Starts Drawbridge where Node is new enough, and says in one line what it needs where it is not. Plain
// JavaScript of the oldest kind, so that an old Node reaches the sentence.
const needed = [22, 18];
const have = process.versions.node.split('.').map(Number);
if (have[0] < needed[0] || (have[0] === needed[0] && have[1] < needed[1])) {
  process.stderr.write(
    `drawbridge needs Node.js ${needed.join('.')} or newer; this is ${process.versions.node}. Get it from https://nodejs.org\n`,
  );
  process.exit(1);
}
await import('../dist/cli.mjs');
