// Slack by its Web API: channels, threads, people and files, read and kept in memory; messages posted, changed and
// deleted. One connection has one token: the person's who connects it, or the app's own.
import { z } from 'zod';
import { DrawbridgeError } from '../../errors.ts';
import { visibleLine } from '../../untrusted.ts';
import { defineProvider, type ProviderContext } from '../define.ts';
import { send } from '../request.ts';
import { auth } from './auth.ts';
import { messagesFeed } from './feed.ts';
import { http } from './http.ts';
import { fileText, getChannel, getUser, history, listChannels, listUsers, thread } from './reads.ts';
import { usersFeed } from './users-feed.ts';
import { webhook } from './webhook.ts';
import { deleteMessage, postMessage, updateMessage } from './writes.ts';

const fields = z
  .strictObject({
    as: z
      .enum(['user', 'bot'])
      .default('user')
      .describe(
        '“user”: reads what the person who connects may read, and writes in that person’s name; “bot”: reads the channels that the app is invited to, and writes in the app’s name',
      ),
    app: z
      .enum(['internal', 'distributed'])
      .default('internal')
      .describe(
        '“internal” for an app of your own workspace or of Slack’s Marketplace; “distributed” for one that is distributed outside of it: Slack then gives history once a minute, 15 messages each',
      ),
  })
  .transform(({ as, app }) => ({ as, app, scopes: as === 'bot' ? 'scope' : 'user_scope' }));

export const provider = defineProvider({
  id: 'slack',
  title: 'Slack',
  fields,
  learned: {
    workspace: { from: 'probe', description: 'Address of the workspace' },
    me: { from: 'probe', description: 'Id of the account in the workspace' },
  },
  secrets: [],
  auth,
  http,
  probe,
  identity,
  operations: {
    'list-channels': listChannels,
    'get-channel': getChannel,
    history,
    thread,
    'list-users': listUsers,
    'get-user': getUser,
    'file-text': fileText,
    'post-message': postMessage,
    'update-message': updateMessage,
    'delete-message': deleteMessage,
  },
  capabilities: {},
  feeds: { messages: messagesFeed, users: usersFeed },
  webhook,
  // Slack counts by method: 50 a minute of those that matter here, 20 of the list of people, one message a second. All
  // of them together stay within the 50: 14 at once, and 36 more in a minute.
  limit: { perSecond: 0.6, burst: 14, concurrent: 5 },
  notes: [
    'One connection has one token. As “user” everything is read and written with the person’s token (under authed_user in Slack’s answer), as “bot” with the app’s (at its top). Both can be connected side by side. What is posted bears that name, and the summary of each write says it.',
    'History and threads: 50 calls a minute for internal apps and those of the Marketplace; 1 call a minute and 15 messages for apps that are distributed outside of it (setting “app”). Then a sync makes one such call, keeps its place, and goes on a minute later: a first sync takes days where there is much, and live questions use the same call. About installs from before 2025-05-29 two pages of Slack disagree.',
    'A conversation (a message with its replies) is one record. Each sync reads the last 3 days before the one before again: edits, deletions and new replies show there. Of older conversations, replies are looked for in the 10 of each channel that went on last, within 14 days (not in a “distributed” app). Polling does not see what is edited or deleted later than that, nor a reply to an older conversation that is not also shown in the channel: a full sync does.',
    'Records of private channels and direct messages may be read by their members, by their addresses, and bear the name of the channel as a label. Where members change, the channel is read again as a whole. Public channels are read by everybody in the organisation.',
    'Channels that the account leaves are forgotten; public channels that it is not in are not read. What Slack’s free plan hides after 90 days is not told any more, and a full sync forgets it.',
    'Files up to 10 MB: text, HTML, PDF and Office files are read, of others the name and the facts are. Files that are kept elsewhere, and canvases, are names alone.',
    'Slack has no verified key against repeats: a message bears ours in its metadata, by which it is looked for among the last 200 messages (all replies of a thread). That metadata is shown to the app that wrote it is known, not verified; that it is missing proves nothing, and a person decides.',
    'What is changed or deleted must be of this account, and say what was approved. A message with blocks of its own is not changed.',
    'Known, and not verified on a live workspace: client authentication in the body, that auth.revoke ends the whole grant with rotation on, the form of links to messages, that renewed tokens of a person stand at the top of the answer.',
    'Organisations on Enterprise Grid are connected workspace by workspace.',
  ],
  verified:
    'Emulator: sandbox/slack. Requests and the envelope of answers held against Slack’s own OpenAPI document, which was archived in 2021; include_all_metadata, token renewal and the download of files are not in it.',
});

const whose = z.object({
  url: z.string(),
  team: z.string(),
  team_id: z.string().min(1),
  user: z.string(),
  user_id: z.string().min(1),
  bot_id: z.string().optional(),
});

/** https://docs.slack.dev/reference/methods/auth.test */
async function account(context: ProviderContext): Promise<z.infer<typeof whose>> {
  const found = await send(context, http, { method: 'GET', path: '/auth.test', output: whose });
  // Never one kind of token in the place of the other: what is posted would bear another name.
  if ((found.bot_id !== undefined) === (context.fields['as'] === 'bot')) return found;
  throw new DrawbridgeError('permission_denied', 'Slack gave a token of another kind than was asked for.');
}

async function probe(context: ProviderContext): Promise<Record<string, string>> {
  const { url, user_id } = await account(context);
  const address = URL.parse(url);
  if (address === null || address.protocol !== 'https:' || !/(^|\.)slack\.com$/.test(address.host)) {
    throw new DrawbridgeError('malformed_response', 'Slack names a workspace that is not at slack.com.');
  }
  return { workspace: address.host, me: user_id };
}

async function identity(context: ProviderContext): Promise<{ id: string; label: string }> {
  const { team, team_id, user, user_id } = await account(context);
  const name = visibleLine(user, 80);
  const who = context.fields['as'] === 'bot' ? `the app ${name}` : name;
  return { id: `${team_id}/${user_id}`, label: `${who} (Slack, ${visibleLine(team, 80)})` };
}
