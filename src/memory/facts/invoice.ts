// An invoice or a payment of the books: how much, whether it is paid, when it falls due.
import { dayOf, lineWith, moneyInWords, type Rule, subjectsOf, textFact } from './claim.ts';

const paidWords = /^(?:fully[ _-]?)?(?:paid|settled|bezahlt|payée?|pagad[oa])$/iu;
const openWords = /^(?:open|unpaid|due|overdue|sent|partially[ _-]?paid|offen|fällig|überfällig)$/iu;

export const invoiceClaims: Rule = (record) => {
  const { facts, text, kind, externalId, title } = record;
  const type = textFact(facts, 'type')?.toLowerCase();
  const number = textFact(facts, 'number', 'docNumber');
  const currency = textFact(facts, 'currency', 'currencyCode')?.toUpperCase();
  const total = textFact(facts, 'total', 'amount');
  const what = number ?? title;
  const base = { family: 'invoice' as const, confidence: 0.95 };
  if (kind === 'payment' || type === 'payment') {
    if (total === undefined) return [];
    const day = dayOf(textFact(facts, 'date', 'paidAt'));
    return subjectsOf(record).map((who) => ({
      ...who,
      ...base,
      name: 'payment',
      slot: `payment:${externalId}`,
      value: `${number === undefined ? 'payment' : `payment ${number}`}: ${moneyInWords(total, currency)}${day === undefined ? '' : ` on ${day}`}`,
      data: { amount: total, state: 'received' },
      ...lineWith(text, total, ['amount', 'total']),
    }));
  }
  // An offer is nothing that anybody owes.
  if (type === 'estimate') return [];
  const balance = textFact(facts, 'balance', 'amountDue', 'outstanding');
  const status = textFact(facts, 'status') ?? '';
  const owed = balance === undefined ? undefined : Number(balance);
  const state =
    owed !== undefined && Number.isFinite(owed)
      ? owed > 0
        ? 'open'
        : 'paid'
      : paidWords.test(status)
        ? 'paid'
        : openWords.test(status)
          ? 'open'
          : 'issued';
  if (total === undefined && balance === undefined) return [];
  const due = dayOf(textFact(facts, 'dueDate', 'due', 'dueAt'));
  const sum = moneyInWords(total ?? balance ?? '', currency);
  const left =
    state === 'open' && balance !== undefined && balance !== total
      ? `, ${moneyInWords(balance, currency)} of it`
      : '';
  const value = `invoice ${what}: ${sum}${left}${left === '' ? ',' : ''} ${state}${state === 'open' && due !== undefined ? `, due ${due}` : ''}`;
  return subjectsOf(record).map((who) => ({
    ...who,
    ...base,
    name: 'invoice',
    slot: `invoice:${externalId}`,
    value,
    data: { number: what, state, ...(due === undefined ? {} : { due }), total: total ?? balance },
    ...lineWith(text, balance ?? total ?? '', ['still owed', 'balance', 'status', 'total', 'amount']),
  }));
};
