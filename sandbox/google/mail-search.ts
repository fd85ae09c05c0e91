// Gmail's search as far as the sandbox needs it: its commonest operators, quoted phrases and words.
import { textOf } from './mail-message.ts';
import type { GmailMessage, GmailStore } from './mail-store.ts';

const dayMs = 86_400_000;
const places: Record<string, string> = {
  inbox: 'INBOX',
  sent: 'SENT',
  drafts: 'DRAFT',
  draft: 'DRAFT',
  spam: 'SPAM',
  trash: 'TRASH',
};

/** Whether spam and bin are searched: only when asked for, by the parameter or by `in:`. */
export function found(
  store: GmailStore,
  message: GmailMessage,
  asked: { q: string; includeSpamTrash: boolean; now: number },
): boolean {
  const terms = asked.q.match(/-?(?:\w+:)?(?:"[^"]*"|[^\s"]+)/g) ?? [];
  const named = terms.some((term) => /^in:(spam|trash|anywhere)$/i.test(term));
  const away = message.labels.has('SPAM') || message.labels.has('TRASH');
  if (away && !asked.includeSpamTrash && !named) return false;
  return terms.every((term) => {
    const negated = term.startsWith('-');
    return fits(store, message, negated ? term.slice(1) : term, asked.now) !== negated;
  });
}

function fits(store: GmailStore, message: GmailMessage, term: string, now: number): boolean {
  const [, name, quoted] = /^(?:(\w+):)?(.*)$/s.exec(term) ?? [];
  const value = (quoted ?? '').replace(/^"|"$/g, '').toLowerCase();
  const header = (field: string) =>
    (
      store.payload(message).headers.find((one) => one.name.toLowerCase() === field)?.value ?? ''
    ).toLowerCase();
  switch (name?.toLowerCase()) {
    case 'rfc822msgid':
      return header('message-id') === `<${value}>`;
    case 'in': {
      const label = places[value];
      return label === undefined ? value === 'anywhere' : message.labels.has(label);
    }
    case 'is':
      return message.labels.has(value.toUpperCase()) || (value === 'read' && !message.labels.has('UNREAD'));
    case 'label':
      return [...message.labels].some(
        (id) => id.toLowerCase() === value || store.userLabels.get(id)?.toLowerCase() === value,
      );
    case 'from':
    case 'to':
    case 'cc':
    case 'subject':
      return header(name.toLowerCase()).includes(value);
    case 'newer_than': {
      const days = Number(/^(\d+)d$/.exec(value)?.[1] ?? Number.NaN);
      return message.internalDate >= now - days * dayMs;
    }
    case 'after':
      return message.internalDate >= Number(value) * 1000;
    case 'before':
      return message.internalDate < Number(value) * 1000;
    case 'has':
      return value === 'attachment' && JSON.stringify(store.payload(message)).includes('"attachmentId"');
    default: {
      const payload = store.payload(message);
      const headers = payload.headers.map((one) => one.value).join('\n');
      return `${headers}\n${textOf(payload)}`.toLowerCase().replace(/\s+/g, ' ').includes(value);
    }
  }
}
