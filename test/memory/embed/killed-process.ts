// A process that embeds an org's chunks, says so after each step, and is killed by its parent.
import { createAudit } from '../../../src/audit/create.ts';
import { recordKeys } from '../../../src/auth/record-key.ts';
import { openVault } from '../../../src/auth/vault.ts';
import { systemClock } from '../../../src/clock.ts';
import { createEgress } from '../../../src/egress/door.ts';
import { createLog } from '../../../src/log.ts';
import { createEmbedding } from '../../../src/memory/embed/embedding.ts';
import { Secret } from '../../../src/secret.ts';
import { openStore } from '../../../src/store/open.ts';

const [home = '', orgId = ''] = process.argv.slice(2);
const log = createLog({ level: 'silent' });
const clock = systemClock;
const config = { home, key: new Secret(Buffer.alloc(32, 7).toString('base64')), formerKey: undefined };
const store = await openStore({ config: { home, databaseUrl: undefined }, clock, log });
const embedding = createEmbedding({
  egress: createEgress({ allowLoopback: true, clock, log }),
  vault: openVault({ config, log, clock }),
  audit: createAudit(recordKeys(config)),
  clock,
  log,
  home,
  environment: { settings: undefined, key: undefined },
});
const org = await store.forOrg(orgId);
await embedding.work(org, {
  signal: new AbortController().signal,
  onStep() {
    process.stdout.write('step\n');
  },
});
process.stdout.write('done\n');
process.exit(0);
