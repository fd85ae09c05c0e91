// The queue keeps its promises on SQLite.
import { describe } from 'vitest';
import { askedPromises } from './asked.ts';
import { clockPromises } from './clock.ts';
import { databases } from './databases.ts';
import { decidePromises } from './decide.ts';
import { editedPromises } from './edited.ts';
import { erasePromises } from './erase.ts';
import { executePromises } from './execute.ts';
import { executorPromises } from './executor.ts';
import { heldPromises } from './held.ts';
import { leasePromises } from './lease.ts';
import { proposePromises } from './propose.ts';
import { reconcilePromises } from './reconcile.ts';

describe.each(databases.filter(({ name }) => name === 'SQLite'))('on $name', (ground) => {
  proposePromises(ground);
  askedPromises(ground);
  decidePromises(ground);
  editedPromises(ground);
  erasePromises(ground);
  executePromises(ground);
  heldPromises(ground);
  leasePromises(ground);
  reconcilePromises(ground);
  clockPromises(ground);
  executorPromises(ground);
});
