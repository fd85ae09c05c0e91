// A meeting, for everybody who is asked to it.
import { lineWith, type Rule, textFact } from './claim.ts';

/** A round of more is no meeting with one of them. */
const mostPeople = 12;

export const meetingClaims: Rule = ({ facts, text, title, externalId, people }) => {
  const start = facts['start'];
  const at = typeof start === 'number' ? start : undefined;
  if (at === undefined || textFact(facts, 'status') === 'cancelled') return [];
  const guests = new Map(
    people.flatMap(({ address, name }) => (address === undefined ? [] : [[address, name]])),
  );
  if (guests.size > mostPeople) return [];
  const location = textFact(facts, 'location');
  const end = facts['end'];
  return [...guests].map(([subject, as]) => ({
    subject,
    as,
    family: 'meeting' as const,
    name: 'meeting',
    slot: `meeting:${externalId}`,
    value: location === undefined ? title : `${title}, ${location}`,
    data: {
      start: at,
      ...(typeof end === 'number' ? { end } : {}),
      ...(textFact(facts, 'recurrence') === undefined ? {} : { repeats: true }),
    },
    confidence: 0.95,
    at,
    ...lineWith(text, '', ['when']),
  }));
};
