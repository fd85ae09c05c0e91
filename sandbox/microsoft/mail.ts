// Graph's mail over its store. https://learn.microsoft.com/en-us/graph/api/resources/mail-api-overview
import type { Clock } from '../../src/clock.ts';
import { objectIn } from '../google/answers.ts';
import { payloadOf, textOf as wordsOf } from '../google/mail-message.ts';
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';
import {
  delta,
  forbidden,
  invalid,
  json,
  listed,
  markAsked,
  notFound,
  propertiesIn,
  selected,
} from './answers.ts';
import type { Folder, OutlookMailStore, OutlookMessage } from './mail-store.ts';

const read = ['Mail.Read', 'Mail.ReadWrite'];
const write = ['Mail.ReadWrite'];
const send = ['Mail.Send'];

interface Person {
  emailAddress?: { address?: string; name?: string };
}

export interface MailOptions {
  store: OutlookMailStore;
  clock: Clock;
  owner: string;
  /** What leaves for others. */
  deliver(recipients: string[], raw: Buffer): void;
}

/** Answers calls below /me that are about mail; undefined where a path is none of them. */
export function createMail({ store, clock, owner, deliver }: MailOptions) {
  const brief = (folder: Folder) => ({
    id: folder.id,
    displayName: folder.name,
    parentFolderId: folder.parent ?? 'root',
    childFolderCount: store.folders.filter(({ parent }) => parent === folder.id).length,
    totalItemCount: store.messages().filter((one) => one.folder === folder.id).length,
    unreadItemCount: store.messages().filter((one) => one.folder === folder.id && !one.read).length,
    isHidden: false,
  });

  /** Words anywhere in a mail, as a search takes them; properties (`from:`) count as words. */
  function found(asked: string): OutlookMessage[] | undefined {
    const text = /^"(.*)"$/s.exec(asked)?.[1]?.replace(/\\(["\\])/g, '$1');
    if (text === undefined) return undefined;
    const words = text.toLowerCase().split(/[^\p{L}\p{N}@.]+/u);
    const wanted = words.filter((word) => word !== '' && !/^(?:from|to|subject|received)$/.test(word));
    return store.messages().filter(({ raw }) => {
      const payload = payloadOf(raw);
      const headers = payload.headers.map(({ value }) => value).join(' ');
      const all = `${headers} ${wordsOf(payload)}`.toLowerCase();
      return wanted.every((word) => all.includes(word));
    });
  }

  function listMessages(call: Call, folder?: Folder): Answer {
    const { query } = call;
    const search = query.get('$search');
    const mark = markAsked(query);
    if (query.has('$filter') && mark === undefined) return invalid('The filter is not understood.');
    if (search !== null && query.has('$skip')) return invalid('$skip is not supported with $search.');
    const all = search === null ? store.messages() : found(search);
    if (all === undefined) return invalid('Syntax error: the search must stand in quotes.');
    const hits = all
      .filter((one) => folder === undefined || one.folder === folder.id)
      .filter(
        ({ properties }) =>
          mark === undefined || properties.some(({ id, value }) => id === mark.id && value === mark.value),
      );
    return listed(
      hits.map((one) => store.shown(one)),
      call,
    );
  }

  function deltaOf(call: Call, folder: Folder): Answer {
    const inside = () => store.messages().filter((one) => one.folder === folder.id);
    return delta<OutlookMessage>(
      {
        version: store.version,
        all: () =>
          inside()
            .map((item) => ({ at: item.at, item }))
            .sort((a, b) => a.at - b.at),
        changedSince: (version) => store.changedSince(folder.id, version),
        item(id) {
          const message = store.get(id);
          return message?.folder === folder.id ? message : undefined;
        },
        shown: (message) => store.shown(message),
      },
      call,
    );
  }

  /** A message of the API as bytes, and who gets it. */
  function composed(given: Record<string, unknown>): { raw: Buffer; recipients: string[] } {
    const people = (name: string) => (Array.isArray(given[name]) ? (given[name] as Person[]) : []);
    const body = given['body'] as { contentType?: string; content?: string } | undefined;
    const line = (name: string, list: Person[]) =>
      list.length === 0
        ? []
        : [
            `${name}: ${list
              .map(({ emailAddress }) => `"${emailAddress?.name ?? ''}" <${emailAddress?.address ?? ''}>`)
              .join(', ')}`,
          ];
    const extra = new Map(propertiesIn(given).map(({ id, value }) => [id, value]));
    const word = (text: string) => `=?utf-8?B?${Buffer.from(text).toString('base64')}?=`;
    const [to, cc, bcc] = [people('toRecipients'), people('ccRecipients'), people('bccRecipients')];
    const id = given['internetMessageId'];
    const inReplyTo = extra.get('String 0x1042');
    const header = [
      `From: ${owner}`,
      ...line('To', to),
      ...line('Cc', cc),
      `Subject: ${word(String(given['subject'] ?? ''))}`,
      `Message-ID: ${typeof id === 'string' ? id : `<made${store.version}@outlook.example>`}`,
      ...(inReplyTo === undefined ? [] : [`In-Reply-To: ${inReplyTo}`]),
      `Date: ${new Date(clock.now()).toUTCString()}`,
      `Content-Type: text/${body?.contentType?.toLowerCase() === 'html' ? 'html' : 'plain'}; charset=utf-8`,
      'Content-Transfer-Encoding: base64',
    ];
    const content = Buffer.from(body?.content ?? '').toString('base64');
    return {
      raw: Buffer.from([...header, '', content].join('\r\n'), 'utf8'),
      recipients: [...to, ...cc, ...bcc].flatMap(({ emailAddress }) => emailAddress?.address ?? []),
    };
  }

  function leave(message: Record<string, unknown>): Answer {
    const { raw, recipients } = composed(message);
    if (recipients.length === 0) return invalid('At least one recipient is not valid.');
    const properties = propertiesIn(message);
    store.add(raw, 'sentitems', { received: clock.now(), read: true, properties });
    deliver(recipients, raw);
    return { status: 202 };
  }

  function sendMail({ body }: Call): Answer {
    const message = objectIn(body)?.['message'];
    if (typeof message !== 'object' || message === null) return invalid('message is missing.');
    return leave(message as Record<string, unknown>);
  }

  function reply({ body }: Call, to: OutlookMessage): Answer {
    const given = (objectIn(body)?.['message'] ?? {}) as Record<string, unknown>;
    const shown = store.shown(to);
    const answers = shown['replyTo'] as Person[];
    return leave({
      toRecipients: answers.length > 0 ? answers : [shown['from']],
      subject: `RE: ${String(shown['subject'])}`,
      ...given,
      singleValueExtendedProperties: [
        ...propertiesIn(given),
        { id: 'String 0x1042', value: shown['internetMessageId'] },
      ],
    });
  }

  function draft({ body }: Call): Answer {
    const given = objectIn(body);
    if (given === undefined) return invalid('The body is no message.');
    const { raw } = composed(given);
    const properties = propertiesIn(given);
    const message = store.add(raw, 'drafts', { received: clock.now(), read: true, draft: true, properties });
    return json(store.shown(message), 201);
  }

  function ofMessage(call: Call, id: string, what: string | undefined): Answer | undefined {
    const message = store.get(id);
    const { method } = call;
    if (method === 'GET' && what === undefined) {
      const one = message && json(selected(store.shown(message), call.query));
      return one ?? notFound();
    }
    if (method === 'GET' && what === '$value') {
      if (message === undefined) return notFound();
      return { status: 200, headers: { 'content-type': 'text/plain' }, body: message.raw.toString('utf8') };
    }
    if (method === 'POST' && what === 'reply')
      return message === undefined ? notFound() : reply(call, message);
    return undefined;
  }

  function ofFolder(call: Call, folder: Folder, what: string | undefined): Answer | undefined {
    switch (what) {
      case undefined:
        return json(selected(brief(folder), call.query));
      case 'messages':
        return listMessages(call, folder);
      case 'messages/delta':
        return deltaOf(call, folder);
      case 'childFolders':
        return listed(store.folders.filter(({ parent }) => parent === folder.id).map(brief), call);
      default:
        return undefined;
    }
  }

  return (call: Call, path: string, granted: readonly string[] | undefined): Answer | undefined => {
    const { method } = call;
    if (method === 'POST' && path === 'sendMail') return forbidden(granted, send) ?? sendMail(call);
    if (path === 'messages') {
      if (method === 'POST') return forbidden(granted, write) ?? draft(call);
      return forbidden(granted, read) ?? listMessages(call);
    }
    const [, id, deed] = /^messages\/([^/]+)(?:\/([^/]+))?$/.exec(path) ?? [];
    if (id !== undefined) {
      const refused = forbidden(granted, deed === 'reply' ? send : read);
      return refused ?? ofMessage(call, decodeURIComponent(id), deed);
    }
    if (method === 'GET' && path === 'mailFolders') {
      const top = store.folders.filter(({ parent }) => parent === undefined);
      return forbidden(granted, read) ?? listed(top.map(brief), call);
    }
    const [, folderId, what] = /^mailFolders\/([^/]+)(?:\/(.+))?$/.exec(path) ?? [];
    if (folderId === undefined || method !== 'GET') return undefined;
    const folder = store.folder(decodeURIComponent(folderId));
    const refused = forbidden(granted, read);
    return refused ?? (folder === undefined ? notFound() : ofFolder(call, folder, what));
  };
}
