// What is asked of Gmail: lists and searches, one message or thread with its text, the labels.
// A page of messages costs one call for their ids and one for each of them.
import type { gmail_v1 } from '@googleapis/gmail';
import { z } from 'zod';
import { type ProviderContext, readOperation } from '../define.ts';
import { ask } from '../google.ts';
import { textOfMail } from '../mail/text.ts';
import { gmailOf, idForm, needed, ownAddress, pageOf, rawMessage, several } from './client.ts';

const mostOnAPage = 25;
const atOnce = 5;
const shownHeaders = ['From', 'To', 'Cc', 'Subject', 'Date', 'Message-ID'];
const mostInThread = 100;

const id = z.string().regex(idForm);
const page = {
  pageToken: z.string().max(2000).optional().describe('nextPage of the answer before'),
  limit: z.number().int().min(1).max(mostOnAPage).default(10),
};

const brief = z.object({
  id: z.string(),
  threadId: z.string(),
  from: z.string().optional(),
  to: z.string().optional(),
  cc: z.string().optional(),
  subject: z.string().optional(),
  /** Integer ms. */
  at: z.number().int().optional(),
  messageId: z.string().optional(),
  snippet: z.string(),
  labels: z.array(z.string()),
  url: z.string(),
});
type Brief = z.infer<typeof brief>;

const listAnswer = z.object({ messages: z.array(brief), nextPage: z.string().optional() });

export const list = readOperation({
  effect: 'read',
  title: 'List messages',
  description: 'The newest messages under a label: the inbox, what was sent, a label of the person’s own.',
  input: z.object({
    label: z.string().max(200).default('INBOX').describe('Id of a label, as `labels` gives it'),
    ...page,
  }),
  output: listAnswer,
  run: (context, { label, ...rest }) => listed(context, { labelIds: [label], ...rest }),
});

export const search = readOperation({
  effect: 'read',
  title: 'Search mail',
  description: 'Finds messages by Gmail’s own search: words, from:, to:, subject:, after:, has:attachment.',
  input: z.object({
    query: z.string().trim().min(1).max(1000),
    includeSpamTrash: z.boolean().default(false),
    ...page,
  }),
  output: listAnswer,
  run: (context, { query, ...rest }) => listed(context, { q: query, ...rest }),
});

const whole = brief.extend({
  text: z.string(),
  attachments: z.array(z.object({ name: z.string(), mediaType: z.string(), size: z.number().int() })),
});

export const get = readOperation({
  effect: 'read',
  title: 'Read a message',
  description: 'One message with its text and the names of its attachments.',
  input: z.object({ id }),
  output: whole,
  async run(context, input) {
    const client = await gmailOf(context);
    const [about, message] = await Promise.all([
      metadata(context, client, input.id),
      rawMessage(context, input.id),
    ]);
    return { ...about, ...(await textOfMail(message.raw)) };
  },
});

const threadAnswer = z.object({
  threads: z.array(z.object({ id: z.string(), snippet: z.string() })),
  nextPage: z.string().optional(),
});

export const threads = readOperation({
  effect: 'read',
  title: 'Search conversations',
  description: 'Finds conversations by Gmail’s own search; without words the newest.',
  input: z.object({ query: z.string().trim().max(1000).optional(), ...page }),
  output: threadAnswer,
  async run(context, { query, pageToken, limit }) {
    const client = await gmailOf(context);
    const answer = await ask(() =>
      client.users.threads.list({
        userId: 'me',
        maxResults: limit,
        ...(query === undefined || query === '' ? {} : { q: query }),
        ...(pageToken === undefined ? {} : { pageToken }),
      }),
    );
    return {
      threads: (answer.threads ?? []).map((thread) => ({
        id: needed(thread.id, 'id'),
        snippet: thread.snippet ?? '',
      })),
      ...next(answer.nextPageToken),
    };
  },
});

export const thread = readOperation({
  effect: 'read',
  title: 'Read a conversation',
  description: 'The messages of one conversation, oldest first, each with the beginning of its text.',
  input: z.object({ id }),
  output: z.object({ id: z.string(), messages: z.array(brief) }),
  async run(context, input) {
    const client = await gmailOf(context);
    const email = await ownAddress(context);
    const query = { userId: 'me', id: input.id, format: 'metadata', metadataHeaders: shownHeaders };
    const found = await ask(() => client.users.threads.get(query));
    const messages = (found.messages ?? []).slice(-mostInThread);
    return { id: input.id, messages: messages.map((message) => briefOf(message, email)) };
  },
});

export const labels = readOperation({
  effect: 'read',
  title: 'List labels',
  description: 'The account’s labels with their ids: Gmail’s own and the person’s.',
  input: z.object({}),
  output: z.object({
    labels: z.array(z.object({ id: z.string(), name: z.string(), own: z.boolean() })),
  }),
  async run(context) {
    const client = await gmailOf(context);
    const answer = await ask(() => client.users.labels.list({ userId: 'me' }));
    return {
      labels: (answer.labels ?? []).map((label) => ({
        id: needed(label.id, 'id'),
        name: label.name ?? '',
        own: label.type === 'user',
      })),
    };
  },
});

async function listed(
  context: ProviderContext,
  asked: {
    q?: string;
    labelIds?: string[];
    includeSpamTrash?: boolean;
    pageToken?: string | undefined;
    limit: number;
  },
): Promise<z.infer<typeof listAnswer>> {
  const client = await gmailOf(context);
  const { limit, pageToken, ...query } = asked;
  const answer = await ask(() =>
    client.users.messages.list({
      userId: 'me',
      maxResults: limit,
      ...query,
      ...(pageToken === undefined ? {} : { pageToken }),
    }),
  );
  const ids = (answer.messages ?? []).map((message) => needed(message.id, 'id'));
  return {
    messages: await several(ids, atOnce, (one) => metadata(context, client, one)),
    ...next(answer.nextPageToken),
  };
}

async function metadata(context: ProviderContext, client: gmail_v1.Gmail, one: string): Promise<Brief> {
  const email = await ownAddress(context);
  const query = { userId: 'me', id: one, format: 'metadata', metadataHeaders: shownHeaders };
  return briefOf(await ask(() => client.users.messages.get(query)), email);
}

function briefOf(message: gmail_v1.Schema$Message, email: string): Brief {
  const header = (name: string): string | undefined =>
    message.payload?.headers?.find((one) => one.name?.toLowerCase() === name)?.value ?? undefined;
  const at = Number(message.internalDate ?? Number.NaN);
  return {
    id: needed(message.id, 'id'),
    threadId: needed(message.threadId, 'thread'),
    from: header('from'),
    to: header('to'),
    cc: header('cc'),
    subject: header('subject'),
    at: Number.isInteger(at) ? at : undefined,
    messageId: header('message-id'),
    snippet: message.snippet ?? '',
    labels: message.labelIds ?? [],
    url: pageOf(email, needed(message.id, 'id')),
  };
}

function next(token: string | null | undefined): { nextPage?: string } {
  return typeof token === 'string' && token !== '' ? { nextPage: token } : {};
}
