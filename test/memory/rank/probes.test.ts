// The probes say what they claim, and the ranking answers them as docs/retrieval.md says.
import { expect, test } from 'vitest';
import { openProbes, readProbes } from '../../../bench/judged-probes.ts';
import { questionTerms } from '../../../src/memory/language/question.ts';
import { terms } from '../../../src/memory/language/terms.ts';
import { rankSettings } from '../../../src/memory/rank/settings.ts';

const shared = (question: string, passage: string) => {
  const asked = new Set(questionTerms(question, ['en']));
  return [...new Set(terms(passage, ['en']))].filter((term) => asked.has(term)).length;
};

test('no right passage of a probe shares a word of substance with its question', () => {
  for (const name of ['paraphrase', 'hard'] as const) {
    const probes = readProbes(name);
    expect(probes).toHaveLength(60);
    expect(probes.filter(({ question, right }) => shared(question, right) > 0)).toEqual([]);
  }
});

test('each hard probe has five wrong passages, and each of those one to three words of the question', () => {
  for (const { question, wrong } of readProbes('hard')) {
    expect(wrong).toHaveLength(5);
    for (const passage of wrong) {
      expect([1, 2, 3], `${question} | ${passage}`).toContain(shared(question, passage));
    }
  }
});

test('probes are answered right as often as measured', async () => {
  const { quality } = await openProbes();
  const reached = quality(rankSettings);
  expect(reached.amongSix).toBeGreaterThan(0.85);
  expect(reached.amongSixty).toBeGreaterThan(0.55);
  expect(reached.hardAlone).toBeGreaterThan(0.4);
  expect(reached.hardScoped).toBeGreaterThan(0.4);
  // Without the doubt about words that stand there by chance none of the hard ones is.
  const trusting = quality({ ...rankSettings, vectorWeightInDoubt: rankSettings.vectorWeight });
  expect(trusting.hardAlone).toBeLessThan(0.05);
});
