// What the steps of the demo share: the house, its two visitors, and what was found on the way.
import { zone } from '../sandbox/dates.ts';
import type { Agent, Proposal } from './demo-agent.ts';
import type { House } from './demo-house.ts';
import type { Visitor } from './demo-person.ts';

export interface Step {
  title: string;
  /** Does it; the lines it returns are what a person should see. @throws Error when something is not as it must be */
  run(): Promise<string[]>;
}

export interface Walk {
  house: House;
  agent: Agent;
  visitor: Visitor;
  /** When the story's viewing is: a date, and three o'clock of it in ms. */
  viewing: { date: string; at: number };
  /** URI of the newest mail, once found. */
  newest: string;
  proposals: Proposal[];
}

export function must(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Error(what);
}

export const oneLine = (text: string, length = 150) => {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length <= length ? line : `${line.slice(0, length)}…`;
};

/** The words of a wall time: `Thursday at 15:00`. */
export const spoken = (ms: number) =>
  new Intl.DateTimeFormat('en-US', {
    timeZone: zone,
    weekday: 'long',
    hour: 'numeric',
    minute: '2-digit',
  }).format(ms);
