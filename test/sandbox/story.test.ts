// A person can ask the story questions, and the answers cite the right words: through a real Drawbridge,
// connected and synced as the demo does it.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { questions } from '../../sandbox/data/questions.ts';
import { type House, openHouse } from '../../scripts/demo-house.ts';
import { Visitor } from '../../scripts/demo-person.ts';
import { story } from '../../scripts/demo-story.ts';

let house: House;

beforeAll(async () => {
  house = await openHouse('silent');
  for (const connection of await house.connect()) await house.sync(connection, () => undefined);
});

afterAll(async () => {
  await house.close();
});

const ask = async (question: string, clients?: string[]) => {
  const { memory, org } = house.serving.rooms;
  return memory.search(org, { question, limit: 8, ...(clients === undefined ? {} : { clients }) });
};

test.each(questions)('$question', async ({ question, clients, cites }) => {
  const { passages } = await ask(question, clients);
  const texts = passages.map(({ text }) => text.replace(/\s+/g, ' '));
  expect(texts.filter((text) => text.includes(cites))).not.toEqual([]);
});

test('a name that two people have names both, and an address keeps them apart', async () => {
  const { candidates } = await ask('offer', ['Sarah Lindholm']);
  expect(candidates?.length).toBe(2);
  const { passages } = await ask('offer', ['s.lindholm@orchardworks.example']);
  expect(passages.length).toBeGreaterThan(0);
  expect(passages.map(({ text, title }) => `${title} ${text}`).join('\n')).not.toMatch(/Kelp Lane|nurse/);
});

test('the walk ends at the step where the provider refuses, and says what became of the action', async () => {
  const visitor = new Visitor(house.web.programUrl);
  await visitor.signIn(await house.signInLink());
  for await (const connection of house.connectInBrowser(visitor)) await house.synced(connection);
  house.sandbox.smtp.faults.failNext({ kind: 'refuse', status: 554, text: 'no mail today' }, 'DATA');
  const { steps, close } = story(house);
  let failed = '';
  try {
    for (const step of steps) {
      failed = step.title;
      await step.run();
    }
    failed = '';
  } catch (thrown) {
    expect(String(thrown)).toMatch(/is failed|is unknown/);
  } finally {
    await close();
  }
  expect(failed).toBe('The agent asks what became of them');
  expect(house.sandbox.smtp.received()).toEqual([]);
});
