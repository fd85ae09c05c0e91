// Gmail's API over a GmailStore. https://developers.google.com/workspace/gmail/api/reference/rest
import type { Clock } from '../../src/clock.ts';
import type { Answer } from '../http.ts';
import { parseAddresses, parseFields, splitHeader } from '../mime.ts';
import type { Call } from '../providers.ts';
import { forbidden, json, objectIn, pageOf, refusal, relatedParts, textsIn } from './answers.ts';
import { snippetOf } from './mail-message.ts';
import { found } from './mail-search.ts';
import { type Change, type GmailMessage, type GmailStore, systemLabels } from './mail-store.ts';

export interface GmailOptions {
  store: GmailStore;
  clock: Clock;
  /** Whether a sent mail gets a Message-ID of Gmail's own. */
  rewritesMessageId(): boolean;
  /** What leaves for others. */
  deliver(recipients: string[], raw: Buffer): void;
}

const read = ['gmail.readonly', 'gmail.modify', 'gmail.metadata'];
const modify = ['gmail.modify'];
const compose = ['gmail.compose', 'gmail.modify'];
const notFound = () => refusal(404, 'notFound', 'Requested entity was not found.');
const invalid = (what: string) => refusal(400, 'invalidArgument', what);

type Route = [
  method: string,
  path: RegExp,
  scopes: readonly string[],
  answer: (call: Call, id: string) => Answer,
];

/** Answers calls to gmail.googleapis.com; `granted`: the scopes of the bearer. */
export function createGmail(options: GmailOptions) {
  const { store, clock } = options;

  const shown = (message: GmailMessage, query: URLSearchParams): Record<string, unknown> => {
    const format = query.get('format')?.toLowerCase() ?? 'full';
    const payload = store.payload(message);
    const wanted = query.getAll('metadataHeaders').map((name) => name.toLowerCase());
    const { headers } = payload;
    return {
      id: message.id,
      threadId: message.threadId,
      labelIds: [...message.labels],
      snippet: snippetOf(payload),
      historyId: String(message.historyId),
      internalDate: String(message.internalDate),
      sizeEstimate: message.raw.length,
      ...(format === 'raw' ? { raw: message.raw.toString('base64url') } : {}),
      ...(format === 'full' ? { payload } : {}),
      ...(format === 'metadata'
        ? {
            payload: {
              mimeType: payload.mimeType,
              headers: headers.filter(
                ({ name }) => wanted.length === 0 || wanted.includes(name.toLowerCase()),
              ),
            },
          }
        : {}),
    };
  };

  const searched = (query: URLSearchParams): GmailMessage[] => {
    const labels = query.getAll('labelIds');
    const asked = {
      q: query.get('q') ?? '',
      includeSpamTrash: query.get('includeSpamTrash') === 'true',
      now: clock.now(),
    };
    return store
      .messages()
      .filter(
        (message) => labels.every((label) => message.labels.has(label)) && found(store, message, asked),
      );
  };

  const pageSize = { name: 'maxResults', usual: 100, most: 500 };

  function listMessages({ query }: Call): Answer {
    const all = searched(query);
    const page = pageOf(all, query, { key: ({ id }) => id, size: pageSize });
    if (page === undefined) return invalid('Invalid pageToken');
    return json({
      ...(page.items.length === 0
        ? {}
        : { messages: page.items.map(({ id, threadId }) => ({ id, threadId })) }),
      ...(page.next === undefined ? {} : { nextPageToken: page.next }),
      resultSizeEstimate: all.length,
    });
  }

  function listThreads({ query }: Call): Answer {
    const newest = new Map<string, GmailMessage>();
    for (const message of searched(query)) {
      if (!newest.has(message.threadId)) newest.set(message.threadId, message);
    }
    const page = pageOf([...newest.values()], query, { key: ({ threadId }) => threadId, size: pageSize });
    if (page === undefined) return invalid('Invalid pageToken');
    return json({
      ...(page.items.length === 0
        ? {}
        : {
            threads: page.items.map((message) => ({
              id: message.threadId,
              snippet: snippetOf(store.payload(message)),
              historyId: String(message.historyId),
            })),
          }),
      ...(page.next === undefined ? {} : { nextPageToken: page.next }),
      resultSizeEstimate: newest.size,
    });
  }

  function getThread({ query }: Call, id: string): Answer {
    const messages = store
      .messages()
      .filter(({ threadId }) => threadId === id)
      .reverse();
    const last = messages.at(-1);
    if (last === undefined) return notFound();
    return json({
      id,
      historyId: String(last.historyId),
      messages: messages.map((message) => shown(message, query)),
    });
  }

  function listHistory({ query }: Call): Answer {
    const since = store.changesSince(Number(query.get('startHistoryId') ?? Number.NaN));
    if (since === undefined) return notFound();
    const types: Record<string, Change['kind']> = {
      messageAdded: 'messagesAdded',
      messageDeleted: 'messagesDeleted',
      labelAdded: 'labelsAdded',
      labelRemoved: 'labelsRemoved',
    };
    const wanted = query.getAll('historyTypes').map((type) => types[type]);
    const all = since.filter(({ kind }) => wanted.length === 0 || wanted.includes(kind));
    const page = pageOf(all, query, { key: ({ id }) => String(id), size: pageSize });
    if (page === undefined) return invalid('Invalid pageToken');
    const entry = ({ id, kind, message, labels }: Change) => ({
      id: String(id),
      messages: [{ id: message.id, threadId: message.threadId }],
      [kind]: [{ message, ...(labels.length === 0 ? {} : { labelIds: labels }) }],
    });
    return json({
      ...(page.items.length === 0 ? {} : { history: page.items.map(entry) }),
      ...(page.next === undefined ? {} : { nextPageToken: page.next }),
      historyId: String(store.historyId),
    });
  }

  /** The mail of a body: `raw` in JSON, or an upload beside its JSON. */
  function mailIn(call: Call, body = objectIn(call.body)): { raw: Buffer; threadId?: string } | undefined {
    const parts = relatedParts(call);
    const about = parts === undefined ? body : objectIn(parts[0]?.body ?? '');
    const raw =
      parts === undefined
        ? Buffer.from(typeof about?.['raw'] === 'string' ? about['raw'] : '', 'base64url')
        : Buffer.from(parts[1]?.body ?? '', 'utf8');
    const threadId = about?.['threadId'];
    if (raw.length === 0) return undefined;
    return { raw, ...(typeof threadId === 'string' ? { threadId } : {}) };
  }

  function send(call: Call): Answer {
    const mail = mailIn(call);
    if (mail === undefined)
      return invalid("'raw' RFC822 payload message string or uploading message required");
    if (mail.threadId !== undefined && !store.messages().some((one) => one.threadId === mail.threadId)) {
      return notFound();
    }
    const fields = parseFields(splitHeader(mail.raw).header);
    const recipients = fields
      .filter(([name]) => /^(to|cc|bcc)$/i.test(name))
      .flatMap(([, value]) => parseAddresses(value).map(({ email }) => email));
    if (recipients.length === 0) return invalid('Recipient address required');
    const raw = options.rewritesMessageId() ? rewritten(mail.raw) : mail.raw;
    const { threadId } = mail;
    const message = store.add(raw, ['SENT'], clock.now(), threadId === undefined ? {} : { threadId });
    options.deliver(
      recipients,
      Buffer.from(raw.toString('latin1').replace(/^Bcc:.*\r\n(?:[ \t].*\r\n)*/im, ''), 'latin1'),
    );
    return json({ id: message.id, threadId: message.threadId, labelIds: ['SENT'] });
  }

  function rewritten(raw: Buffer): Buffer {
    const text = raw.toString('latin1');
    const own = `<CAK${store.nextId()}${store.historyId}@mail.gmail.com>`;
    return Buffer.from(text.replace(/^Message-ID:.*$/im, `Message-ID: ${own}`), 'latin1');
  }

  function relabel(message: GmailMessage, body: Record<string, unknown>): Answer | undefined {
    const [add, remove] = [textsIn(body['addLabelIds']), textsIn(body['removeLabelIds'])];
    const unknown = [...add, ...remove].find((id) => !systemLabels.includes(id) && !store.userLabels.has(id));
    if (unknown !== undefined) return invalid(`Invalid label: ${unknown}`);
    store.label(message, { add, remove });
    return undefined;
  }

  function withMessage(id: string, answer: (message: GmailMessage) => Answer): Answer {
    const message = store.get(id);
    return message === undefined ? notFound() : answer(message);
  }

  const brief = ({ id, threadId, labels }: GmailMessage): Answer =>
    json({ id, threadId, labelIds: [...labels] });

  function writeDraft(call: Call, draftId: string | undefined): Answer {
    const body = objectIn(call.body)?.['message'];
    const mail = mailIn(call, typeof body === 'object' ? (body as Record<string, unknown>) : undefined);
    if (mail === undefined) return invalid('Missing draft message');
    if (draftId !== undefined) {
      const old = store.drafts.get(draftId);
      if (old === undefined) return notFound();
      store.remove(old);
    }
    const { threadId } = mail;
    const message = store.add(mail.raw, ['DRAFT'], clock.now(), threadId === undefined ? {} : { threadId });
    const id = draftId ?? `r${store.nextId()}`;
    store.drafts.set(id, message.id);
    return json({ id, message: { id: message.id, threadId: message.threadId, labelIds: ['DRAFT'] } });
  }

  function draftShown(id: string, query: URLSearchParams): Answer {
    const message = store.get(store.drafts.get(id) ?? '');
    return message === undefined ? notFound() : json({ id, message: shown(message, query) });
  }

  function listDrafts({ query }: Call): Answer {
    const hits = new Set(searched(query).map(({ id }) => id));
    const drafts = [...store.drafts].flatMap(([id, messageId]) => {
      const message = store.get(messageId);
      return message === undefined || !hits.has(messageId)
        ? []
        : [{ id, message: { id: messageId, threadId: message.threadId } }];
    });
    return json({ ...(drafts.length === 0 ? {} : { drafts }), resultSizeEstimate: drafts.length });
  }

  const routes: Route[] = [
    [
      'GET',
      /^profile$/,
      read,
      () => {
        const threads = new Set(store.messages().map(({ threadId }) => threadId));
        return json({
          emailAddress: store.email,
          messagesTotal: store.messages().length,
          threadsTotal: threads.size,
          historyId: String(store.historyId),
        });
      },
    ],
    ['GET', /^messages$/, read, listMessages],
    ['POST', /^messages\/send$/, ['gmail.send', 'gmail.compose', 'gmail.modify'], send],
    [
      'GET',
      /^messages\/([^/]+)$/,
      read,
      ({ query }, id) => withMessage(id, (one) => json(shown(one, query))),
    ],
    [
      'POST',
      /^messages\/([^/]+)\/modify$/,
      modify,
      (call, id) => withMessage(id, (one) => relabel(one, objectIn(call.body) ?? {}) ?? brief(one)),
    ],
    [
      'POST',
      /^messages\/([^/]+)\/trash$/,
      modify,
      (_call, id) =>
        withMessage(id, (one) => {
          store.label(one, { add: ['TRASH'], remove: ['INBOX'] });
          return brief(one);
        }),
    ],
    [
      'POST',
      /^messages\/([^/]+)\/untrash$/,
      modify,
      (_call, id) =>
        withMessage(id, (one) => {
          store.label(one, { remove: ['TRASH'] });
          return brief(one);
        }),
    ],
    ['GET', /^threads$/, read, listThreads],
    ['GET', /^threads\/([^/]+)$/, read, getThread],
    [
      'GET',
      /^labels$/,
      [...read, 'gmail.labels'],
      () =>
        json({
          labels: [
            ...systemLabels.map((id) => ({ id, name: id, type: 'system' })),
            ...[...store.userLabels].map(([id, name]) => ({ id, name, type: 'user' })),
          ],
        }),
    ],
    ['GET', /^history$/, read, listHistory],
    ['GET', /^drafts$/, ['gmail.readonly', ...compose], listDrafts],
    ['POST', /^drafts$/, compose, (call) => writeDraft(call, undefined)],
    ['GET', /^drafts\/([^/]+)$/, ['gmail.readonly', ...compose], ({ query }, id) => draftShown(id, query)],
    ['PUT', /^drafts\/([^/]+)$/, compose, writeDraft],
    [
      'DELETE',
      /^drafts\/([^/]+)$/,
      compose,
      (_call, id) => {
        const message = store.drafts.get(id);
        if (message === undefined) return notFound();
        store.drafts.delete(id);
        store.remove(message);
        return { status: 204 };
      },
    ],
  ];

  return (call: Call, granted: readonly string[] | undefined): Answer => {
    const path = /^(?:\/upload)?\/gmail\/v1\/users\/me\/(.*)$/.exec(call.path)?.[1] ?? '';
    for (const [method, pattern, scopes, answer] of routes) {
      const match = method === call.method ? pattern.exec(path) : null;
      if (match === null) continue;
      return forbidden(granted, scopes) ?? answer(call, decodeURIComponent(match[1] ?? ''));
    }
    return notFound();
  };
}
