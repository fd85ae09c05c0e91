// Google Drive's API over a DriveStore. https://developers.google.com/workspace/drive/api/reference/rest/v3
import type { Clock } from '../../src/clock.ts';
import type { Answer } from '../http.ts';
import type { Call } from '../providers.ts';
import { forbidden, json, objectIn, pageOf, refusal, relatedParts, textsIn } from './answers.ts';
import type { DriveEntry, DriveStore } from './file-store.ts';

const content = ['drive', 'drive.readonly'];
const metadata = [...content, 'drive.metadata.readonly', 'drive.file'];
const write = ['drive', 'drive.file'];
const notFound = (id: string) => refusal(404, 'notFound', `File not found: ${id}.`);
const invalid = (message: string) => refusal(400, 'invalid', message);

/** Answers calls to www.googleapis.com/drive; `granted`: the scopes of the bearer. */
export function createDrive({ store, clock }: { store: DriveStore; clock: Clock }) {
  /** Every field; what a call asks for is picked from it. */
  const whole = (entry: DriveEntry): Record<string, unknown> => ({
    kind: 'drive#file',
    id: entry.id,
    name: entry.name,
    mimeType: entry.mimeType,
    modifiedTime: entry.modifiedTime,
    trashed: entry.trashed,
    parents: entry.parents,
    owners: [{ kind: 'drive#user', ...store.owner }],
    ...(entry.permissions === null
      ? {}
      : {
          permissions: entry.permissions ?? [
            { kind: 'drive#permission', type: 'user', role: 'owner', emailAddress: store.owner.emailAddress },
          ],
        }),
    webViewLink: `https://drive.google.com/file/d/${entry.id}/view`,
    ...(entry.description === undefined ? {} : { description: entry.description }),
    ...(entry.bytes === undefined ? {} : { size: String(entry.bytes.length) }),
    ...(entry.appProperties === undefined ? {} : { appProperties: entry.appProperties }),
  });

  function listFiles({ query }: Call): Answer {
    const matches = filterOf(query.get('q') ?? '');
    if (matches === undefined) return invalid('Invalid Value');
    const found = store.files().filter(matches);
    const page = pageOf(found, query, {
      key: ({ id }) => id,
      size: { name: 'pageSize', usual: 100, most: 1000 },
    });
    if (page === undefined) return invalid('Invalid Value');
    return json(
      picked(
        {
          kind: 'drive#fileList',
          incompleteSearch: false,
          files: page.items.map(whole),
          ...(page.next === undefined ? {} : { nextPageToken: page.next }),
        },
        query.get('fields') ?? 'kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)',
      ),
    );
  }

  function listChanges({ query }: Call): Answer {
    const start = Number(query.get('pageToken') ?? Number.NaN);
    const changed = store.changesFrom(start);
    if (changed === undefined) return invalid('Invalid Value');
    const size = Math.min(Math.max(Number(query.get('pageSize') ?? 100), 1), 1000);
    const some = changed.slice(0, size);
    const changes = [...new Set(some)]
      .filter((id) => id !== '')
      .map((id) => {
        const entry = store.get(id);
        const time = new Date(clock.now()).toISOString();
        const base = {
          kind: 'drive#change',
          changeType: 'file',
          time,
          fileId: id,
          removed: entry === undefined,
        };
        return entry === undefined ? base : { ...base, file: whole(entry) };
      });
    const more = changed.length > size;
    const next = String(start + some.length);
    return json(
      picked(
        {
          kind: 'drive#changeList',
          changes,
          ...(more ? { nextPageToken: next } : { newStartPageToken: next }),
        },
        query.get('fields') ?? '*',
      ),
    );
  }

  function getFile({ query }: Call, id: string): Answer {
    const entry = store.get(id);
    if (entry === undefined) return notFound(id);
    if (query.get('alt') !== 'media') {
      return json(picked(whole(entry), query.get('fields') ?? 'kind,id,name,mimeType'));
    }
    if (entry.bytes === undefined) {
      return refusal(403, 'fileNotDownloadable', 'Only files with binary content can be downloaded.');
    }
    if (entry.locked === true) return refusal(403, 'cannotDownloadFile', 'This file cannot be downloaded.');
    return bytes(entry.mimeType, entry.bytes.toString('utf8'));
  }

  function exportFile({ query }: Call, id: string): Answer {
    const entry = store.get(id);
    if (entry === undefined) return notFound(id);
    const text = entry.exports?.[query.get('mimeType') ?? ''];
    if (entry.locked === true) return refusal(403, 'cannotExportFile', 'This file cannot be exported.');
    if (text === undefined) return invalid('The requested conversion is not supported.');
    return bytes(query.get('mimeType') ?? '', text);
  }

  function create(call: Call): Answer {
    const [about, media] = relatedParts(call) ?? [];
    const given = objectIn(about?.body ?? '');
    if (given === undefined || media === undefined) return invalid('Malformed multipart body.');
    const { name, mimeType, parents, appProperties } = given;
    const unknown = textsIn(parents).find((id) => id !== 'root' && store.get(id) === undefined);
    if (unknown !== undefined) return notFound(unknown);
    const entry = store.put({
      name: typeof name === 'string' ? name : 'Untitled',
      mimeType: typeof mimeType === 'string' ? mimeType : media.type,
      bytes: Buffer.from(media.body),
      modifiedTime: new Date(clock.now()).toISOString(),
      ...(Array.isArray(parents) ? { parents: textsIn(parents) } : {}),
      ...(typeof appProperties === 'object' && appProperties !== null
        ? { appProperties: appProperties as Record<string, string> }
        : {}),
    });
    return json(picked(whole(entry), call.query.get('fields') ?? 'kind,id,name,mimeType'));
  }

  return (call: Call, granted: readonly string[] | undefined): Answer => {
    const path = call.path.replace(/^\/(?:upload\/)?drive\/v3\//, '');
    const { method } = call;
    const answer = (scopes: readonly string[], work: () => Answer) => forbidden(granted, scopes) ?? work();
    if (method === 'POST' && path === 'files') return answer(write, () => create(call));
    if (method !== 'GET') return notFound(path);
    if (path === 'about') {
      return answer(metadata, () => json(picked({ user: store.owner }, call.query.get('fields') ?? '')));
    }
    if (path === 'files') return answer(metadata, () => listFiles(call));
    if (path === 'changes') return answer(metadata, () => listChanges(call));
    if (path === 'changes/startPageToken') {
      const startPageToken = String(store.version);
      return answer(metadata, () => json({ kind: 'drive#startPageToken', startPageToken }));
    }
    const [, id = '', deed] = /^files\/([^/]+)(\/export)?$/.exec(path) ?? [];
    if (deed !== undefined) return answer(content, () => exportFile(call, decodeURIComponent(id)));
    const scopes = call.query.get('alt') === 'media' ? content : metadata;
    return answer(scopes, () => getFile(call, decodeURIComponent(id)));
  };
}

const bytes = (type: string, body: string): Answer => ({
  status: 200,
  headers: { 'content-type': type },
  body,
});

/** The members that a `fields` expression names (`a,b(c,d)`); `*` is all. */
function picked(value: Record<string, unknown>, fields: string): Record<string, unknown> {
  if (fields === '*') return value;
  const result: Record<string, unknown> = {};
  for (const [, name = '', , inner] of fields.matchAll(/([A-Za-z]+)(\(((?:[^()]|\([^()]*\))*)\))?/g)) {
    if (!(name in value)) continue;
    const part = value[name];
    const below = (one: unknown) => picked(one as Record<string, unknown>, inner ?? '*');
    result[name] = inner === undefined ? part : Array.isArray(part) ? part.map(below) : below(part);
  }
  return result;
}

/** A search as a test of one file; undefined where it cannot be read. */
function filterOf(q: string): ((entry: DriveEntry) => boolean) | undefined {
  const text = String.raw`'((?:[^'\\]|\\.)*)'`;
  const terms: [RegExp, (entry: DriveEntry, one: string, two: string) => boolean][] = [
    [/^trashed = (true|false)/, (entry, value) => String(entry.trashed) === value],
    [new RegExp(`^mimeType != ${text}`), (entry, value) => entry.mimeType !== value],
    [new RegExp(`^mimeType = ${text}`), (entry, value) => entry.mimeType === value],
    [new RegExp(`^${text} in parents`), (entry, value) => entry.parents.includes(value)],
    [
      new RegExp(`^\\(name contains ${text} or fullText contains ${text}\\)`),
      (entry, value) => `${entry.name}\n${wordsOf(entry)}`.toLowerCase().includes(value.toLowerCase()),
    ],
    [
      new RegExp(`^appProperties has \\{ key=${text} and value=${text} \\}`),
      (entry, key, value) => entry.appProperties?.[key] === value,
    ],
  ];
  const conditions: ((entry: DriveEntry) => boolean)[] = [];
  let rest = q.trim();
  while (rest !== '') {
    const hit = terms
      .map(([pattern, fits]) => ({ match: pattern.exec(rest), fits }))
      .find(({ match }) => match !== null);
    if (hit?.match == null) return undefined;
    const [all, ...given] = hit.match;
    const [one = '', two = ''] = given.map((value) => value.replace(/\\(.)/g, '$1'));
    const { fits } = hit;
    conditions.push((entry) => fits(entry, one, two));
    rest = rest.slice(all.length);
    if (rest !== '' && !rest.startsWith(' and ')) return undefined;
    rest = rest.replace(/^ and /, '');
  }
  return (entry) => conditions.every((condition) => condition(entry));
}

function wordsOf({ exports, bytes: own, mimeType }: DriveEntry): string {
  if (exports !== undefined) return Object.values(exports)[0] ?? '';
  return mimeType.startsWith('text/') ? (own?.toString('utf8') ?? '') : '';
}
