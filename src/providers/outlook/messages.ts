// What is asked of Outlook's mail: a folder, a search, one message with its text.
import { z } from 'zod';
import { readRequest } from '../declared.ts';
import { readOperation } from '../define.ts';
import { textOfMail } from '../mail/text.ts';
import { microsoftHttp as http } from '../microsoft.ts';
import { send } from '../request.ts';
import { brief, briefOf, briefSelect, graphId, mimeOf, rawMessage } from './message.ts';

export const readsMail = ['Mail.Read'];
const limit = z.number().int().min(1).max(50).default(10);
const page = z.object({ value: z.array(rawMessage), '@odata.nextLink': z.string().optional() });
const messages = z.object({ messages: z.array(brief) });

export const list = readRequest(http, {
  title: 'List messages',
  description:
    'The newest messages of a folder: the inbox, what was sent, the archive, a folder of one’s own.',
  scopes: readsMail,
  input: z.object({
    folder: graphId
      .default('inbox')
      .describe('inbox, sentitems, archive, drafts, junkemail, deleteditems, or the id of a folder'),
    limit,
    skip: z.number().int().min(0).max(10_000).default(0).describe('nextSkip of the answer before'),
  }),
  output: messages.extend({ nextSkip: z.number().int().optional() }),
  method: 'GET',
  path: '/me/mailFolders/{folder}/messages',
  query: (input) => ({
    $top: input.limit,
    $skip: input.skip,
    $orderby: 'receivedDateTime desc',
    $select: briefSelect,
  }),
  answer: page,
  result: ({ value, '@odata.nextLink': more }, input) => ({
    messages: value.map(briefOf),
    ...(more === undefined ? {} : { nextSkip: input.skip + value.length }),
  }),
});

export const search = readRequest(http, {
  title: 'Search mail',
  description:
    'Finds messages by Outlook’s own search: words, from:, to:, subject:, received:, hasattachments:.',
  scopes: readsMail,
  input: z.object({ query: z.string().trim().min(1).max(1000), limit }),
  output: messages,
  method: 'GET',
  path: '/me/messages',
  query: (input) => ({
    // One text in quotes: what would end it is escaped.
    $search: `"${input.query.replace(/[\\"]/g, '\\$&')}"`,
    $top: input.limit,
    $select: briefSelect,
  }),
  answer: page,
  result: ({ value }) => ({ messages: value.map(briefOf) }),
});

export const get = readOperation({
  effect: 'read',
  title: 'Read a message',
  description: 'One message with its text and the names of its attachments.',
  scopes: readsMail,
  input: z.object({ id: graphId }),
  output: brief.omit({ attachments: true }).extend({
    text: z.string(),
    attachments: z.array(z.object({ name: z.string(), mediaType: z.string(), size: z.number().int() })),
  }),
  async run(context, { id }) {
    const about = await send(context, http, {
      method: 'GET',
      path: '/me/messages/{id}',
      params: { id },
      query: { $select: briefSelect },
      output: rawMessage,
    });
    return { ...briefOf(about), ...(await textOfMail(await mimeOf(context, id))) };
  },
});
