// A deal of the CRM: its stage, its value, for everybody who takes part in it.
import { dayOf, lineWith, moneyInWords, type Rule, subjectsOf, textFact } from './claim.ts';

const over = /\b(?:closed|won|lost|cancell?ed|abandoned|verloren|gewonnen|abgeschlossen)\b|^closed/iu;

export const dealClaims: Rule = (record) => {
  const { facts, text, title, externalId } = record;
  const deal = textFact(facts, 'dealname', 'name') ?? title;
  const stage = textFact(facts, 'stage', 'dealstage', 'status');
  const amount = textFact(facts, 'amount', 'value');
  const currency = textFact(facts, 'deal_currency_code', 'currency')?.toUpperCase();
  const closes = dayOf(textFact(facts, 'closedate', 'closeDate'));
  const open =
    stage === undefined || !over.test(stage) ? !over.test(textFact(facts, 'dealstage') ?? '') : false;
  return subjectsOf(record).flatMap(({ subject, as }) => {
    const base = { subject, as, family: 'deal' as const, confidence: 0.95 };
    return [
      ...(stage === undefined
        ? []
        : [
            {
              ...base,
              name: 'deal stage',
              slot: `deal-stage:${externalId}`,
              value: `${deal}: ${stage}`,
              data: { deal, stage, open, ...(closes === undefined ? {} : { closes }) },
              ...lineWith(text, stage, ['stage', 'deal stage', 'status']),
            },
          ]),
      ...(amount === undefined
        ? []
        : [
            {
              ...base,
              name: 'deal value',
              slot: `deal-value:${externalId}`,
              value: `${deal}: ${moneyInWords(amount, currency)}`,
              data: { deal, amount, open, ...(currency === undefined ? {} : { currency }) },
              ...lineWith(text, amount, ['amount', 'value']),
            },
          ]),
    ];
  });
};
