// The words that a question is searched by: those that only ask are left out, and a day is found as headers have it.
import { describe, expect, test } from 'vitest';
import { questionTerms } from '../../../src/memory/language/question.ts';
import { daysIn } from '../../../src/memory/question/time-words.ts';

describe('words that only ask are not searched for', () => {
  test.each([
    ['What did Maria say about the roof?', ['en'], ['maria', 'roof']],
    ['Summarize the discussion about the boiler', ['en'], ['boiler']],
    [
      'What did the team think of the budget when discussing the kitchen?',
      ['en'],
      ['team', 'budget', 'kitchen'],
    ],
    ['Was hat Maria über das Dach gesagt?', ['de'], ['maria', 'dach']],
    ['Qu’est-ce que Maria pense du toit ?', ['fr'], ['mari', 'toit']],
  ])('%s', (question, languages, expected) => {
    expect(questionTerms(question, languages)).toEqual(expected);
  });

  test('a legal opinion and a discussion paper are things, and stay', () => {
    expect(questionTerms('the legal opinion', ['en'])).toEqual(['legal', 'opinion']);
    expect(questionTerms('the discussion paper', ['en'])).toEqual(['discuss', 'paper']);
  });

  test('in another language the same letters are words like others', () => {
    expect(questionTerms('der Say der Stadt und ihrer Bürger', ['de'])).toContain('say');
  });

  test('where a question is made of nothing else, all of it is searched for', () => {
    expect(questionTerms('What did they say?', ['en'])).not.toEqual([]);
  });
});

describe('a day with its year is searched for as headers have it, too', () => {
  test.each([
    ['What did Maria send on 8 May, 2023?', '2023-05-08'],
    ['What came on May 20th 2023?', '2023-05-20'],
    ['what came on 3.2.2026', '2026-02-03'],
    ['the 2023 budget of 8 May 2023', '2023-05-08'],
  ])('%s', (question, iso) => {
    expect(questionTerms(question, ['en']).filter((term) => term === iso)).toEqual([iso]);
  });

  test('a day that is written so already is searched for once', () => {
    const terms = questionTerms('what came on 2023-05-08', ['en']);
    expect(terms.filter((term) => term === '2023-05-08')).toHaveLength(1);
  });

  test.each(['what came on 8 May', 'what came in May 2023', 'on 30 February 2023', 'yesterday'])(
    'none in: %s',
    (question) => expect(daysIn(question)).toEqual([]),
  );
});
