// The story that `npm run demo -- --once` walks: an agent with a key on one side, a person with a browser on
// the other, and between them nothing but what any client would use. Each step says what must be true.
import { accountReads, accountWrites } from './demo-accounts.ts';
import { Agent } from './demo-agent.ts';
import type { House } from './demo-house.ts';
import { memoryReads } from './demo-memory.ts';
import { Visitor } from './demo-person.ts';
import { reads } from './demo-reads.ts';
import type { Step, Walk } from './demo-walk.ts';
import { writes } from './demo-writes.ts';

/** The steps of the story, in order; each builds on those before it. Call `close` at the end. */
export function story(house: House): { steps: Step[]; close(): Promise<void> } {
  const { dates } = house.sandbox.world;
  const walk: Walk = {
    house,
    agent: new Agent(),
    visitor: new Visitor(house.web.programUrl),
    viewing: { date: dates.isoDate(183), at: dates.at(183, '15:00') },
    newest: '',
    proposals: [],
  };
  return {
    steps: [
      ...reads(walk),
      ...accountReads(walk),
      ...memoryReads(walk),
      ...writes(walk),
      ...accountWrites(walk),
    ],
    close: () => walk.agent.close(),
  };
}
