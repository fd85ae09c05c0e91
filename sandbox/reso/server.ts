// An MLS of the sandbox: a RESO Web API over the story's market, in the manner of a plain server, of Bridge or of
// Spark. It holds its clients to its page sizes, its token, and the fields that it has.
import type { Clock } from '../../src/clock.ts';
import type { Answer } from '../http.ts';
import type { Call, Emulator } from '../providers.ts';
import type { SandboxListing } from '../zillow-answers.ts';
import { BadQuestion, orderOf, parseFilter, type Row } from './filter.ts';
import { createMarket, type Market } from './market.ts';
import { type LocalField, lookupWords, metadata, propertyFields } from './metadata.ts';

export type Manner = 'plain' | 'bridge' | 'spark';

export interface Mls {
  emulator: Emulator;
  market: Market;
  /** Skip tokens that were given end now. */
  forgetLinks(): void;
}

export interface MlsOptions {
  clock: Clock;
  listings: readonly SandboxListing[];
  provider: string;
  manner: Manner;
  hosts: readonly [string, ...string[]];
  /** Path of the service root. */
  root: string;
  token: string;
  /** Resources beside Property. Default: all but EntityEvent. */
  resources?: readonly string[];
  /** Lookups as EnumTypes. */
  enums?: boolean;
  system?: string;
}

const prefixes: Record<Manner, string> = { plain: 'X', bridge: 'ACMLS', spark: 'X' };
const usual = ['Media', 'HistoryTransactional', 'Lookup'];

const shapes: Readonly<Record<string, readonly string[]>> = {
  Media: [
    'MediaKey',
    'ResourceName',
    'ResourceRecordKey',
    'MediaURL',
    'MediaCategory',
    'Order',
    'ModificationTimestamp',
  ],
  HistoryTransactional: [
    ...['HistoryTransactionalKey', 'ResourceName', 'ResourceRecordKey', 'FieldName', 'PreviousValue'],
    ...['NewValue', 'ModificationTimestamp'],
  ],
  EntityEvent: ['EntityEventSequence', 'ResourceName', 'ResourceRecordKey'],
  Lookup: [
    'LookupKey',
    'LookupName',
    'LookupValue',
    'StandardLookupValue',
    'LegacyODataValue',
    'ModificationTimestamp',
  ],
};

export function createMls(options: MlsOptions): Mls {
  const { clock, manner, token, root, hosts, enums = false, system = 'Ansel Coast MLS' } = options;
  const resources = ['Property', ...(options.resources ?? usual)];
  const local: LocalField[] = [
    { name: `${prefixes[manner]}_BoatSlipYN`, title: 'Boat slip', type: 'Edm.Boolean' },
    {
      name: `${prefixes[manner]}_HarborView`,
      title: 'Harbor view',
      type: 'Edm.String',
      lookup: 'HarborView',
    },
    { name: `${prefixes[manner]}_DockLength`, title: 'Dock length in feet', type: 'Edm.Int64' },
  ];
  const market = createMarket({ clock, listings: options.listings, local, system });
  const links = ['Media', 'HistoryTransactional'].filter((name) => resources.includes(name));
  const keys: Readonly<Record<string, string>> = {
    Property: 'ListingKey',
    Lookup: 'LookupKey',
    Media: 'MediaKey',
  };
  let generation = 0;

  function fieldsOf(resource: string): readonly string[] {
    return resource === 'Property'
      ? [...propertyFields, ...local.map(({ name }) => name)]
      : (shapes[resource] ?? []);
  }

  function rowsOf(resource: string): readonly Row[] {
    if (resource !== 'Lookup') return market.rows(resource);
    return Object.entries(lookupWords).flatMap(([name, words]) =>
      Object.entries(words).map(([legacy, word]) => ({
        LookupKey: `${name}-${legacy}`,
        LookupName: name,
        LookupValue: word,
        StandardLookupValue: word,
        LegacyODataValue: legacy,
        ModificationTimestamp: new Date(clock.now()).toISOString(),
      })),
    );
  }

  /** A row as it is sent: an EnumType's members by their names. */
  function sent(row: Row, select: readonly string[] | undefined, expand: readonly string[]): Row {
    const shown = Object.entries(row).filter(([name]) => select === undefined || select.includes(name));
    const named = shown.map(([name, value]) => {
      const words = lookupWords[name];
      const member = enums && words !== undefined && Object.keys(words).find((one) => words[one] === value);
      return [name, member || value];
    });
    const below = expand.map((link) => [
      link,
      market
        .rows(link)
        .filter((one) => one['ResourceRecordKey'] === row['ListingKey'])
        .map((one) => ({ ...one })),
    ]);
    return Object.fromEntries([...named, ...below]) as Row;
  }

  function answer(call: Call, resource: string, replication: boolean): Answer {
    const { query } = call;
    const fields = fieldsOf(resource);
    const list = (name: string) =>
      query
        .get(name)
        ?.split(',')
        .map((one) => one.trim());
    const select = list('$select');
    const expand = list('$expand') ?? [];
    for (const name of select ?? [])
      if (!fields.includes(name)) throw new BadQuestion(`$select: there is no ${name}`);
    for (const name of expand)
      if (!links.includes(name)) throw new BadQuestion(`$expand: there is no ${name}`);
    const filter = query.get('$filter');
    const orders = (list('$orderby') ?? []).map((term) => {
      const [name = '', direction] = term.split(/\s+/);
      if (!fields.includes(name)) throw new BadQuestion(`$orderby: there is no ${name}`);
      return { name, sign: direction === 'desc' ? -1 : 1 };
    });
    if (replication && (orders.length > 0 || query.has('$skip')))
      throw new BadQuestion('replication takes neither $orderby nor $skip');
    const test = filter === null ? () => true : parseFilter(filter, (name) => fields.includes(name));
    const key = keys[resource] ?? fields[0] ?? '';
    const found = rowsOf(resource)
      .filter((row) => test(enums ? sent(row, undefined, []) : row))
      .toSorted(
        (a, b) =>
          orders.map(({ name, sign }) => sign * orderOf(a[name], b[name])).find((order) => order !== 0) ??
          orderOf(a[key], b[key]),
      );
    const most = mostRows(manner, call.host, replication);
    const top = query.has('$top') ? Number(query.get('$top')) : undefined;
    if (top !== undefined && top > most) throw new BadQuestion(`$top: ${most} at most`);
    const preferred = /maxpagesize=(\d+)/.exec(call.headers['prefer'] ?? '')?.[1];
    const size = Math.min(
      manner === 'spark' ? (top ?? 10) : most,
      Number(preferred ?? (manner === 'bridge' ? 10 : most)),
    );
    // By skip tokens Spark and /replication lead on whatever $top says.
    const whole =
      top === undefined || manner === 'spark'
        ? found
        : found.slice(Number(query.get('$skip') ?? 0), Number(query.get('$skip') ?? 0) + top);
    const from =
      begin(query, whole, key, orders.length === 0) +
      (manner === 'spark' || top === undefined ? Number(query.get('$skip') ?? 0) : 0);
    if (manner === 'bridge' && !replication && from + size > 10_000)
      throw new BadQuestion('more than 10,000 rows come by /replication alone');
    const rows = whole.slice(from, from + size);
    const more = from + size < whole.length && rows.length > 0;
    return json(200, {
      '@odata.context': `https://${call.host}${root}/$metadata#${resource}`,
      ...(query.get('$count') === 'true' ? { '@odata.count': found.length } : {}),
      value: rows.map((row) => sent(row, select, expand)),
      ...(more
        ? {
            '@odata.nextLink': nextLink(
              call,
              orders.length === 0 ? `k${String(rows.at(-1)?.[key])}` : `n${from + size}`,
            ),
          }
        : {}),
    });
  }

  function begin(query: URLSearchParams, rows: readonly Row[], key: string, byKey: boolean): number {
    const given = query.get('$skiptoken');
    if (given === null || given === '') return 0;
    const [made, place = ''] = given.split('~');
    if (Number(made) !== generation) throw new BadQuestion('$skiptoken: it has ended');
    if (!byKey) return Number(place.slice(1));
    const at = rows.findIndex((row) => orderOf(row[key], place.slice(1)) > 0);
    return at === -1 ? rows.length : at;
  }

  function nextLink(call: Call, place: string): string {
    const url = new URL(`${call.host.startsWith('127.') ? 'http' : 'https'}://${call.host}${call.path}`);
    for (const [name, value] of call.query) if (name !== '$skip') url.searchParams.set(name, value);
    url.searchParams.set('$skiptoken', `${generation}~${place}`);
    return url.href;
  }

  const refused = (status: number, message: string, code?: number): Answer => {
    if (manner === 'bridge') return json(status, { success: false, status, error: message });
    if (manner === 'spark' && code !== undefined)
      return json(status, { D: { Success: false, Code: code, Message: message } });
    return json(status, { error: { code: String(status), message } });
  };

  const handle = (call: Call): Answer => {
    if (call.headers['authorization'] !== `Bearer ${token}`)
      return refused(401, 'Invalid API key and/or request signed improperly');
    if (manner === 'spark' && token.includes('replication') && call.host === 'sparkapi.com')
      return refused(
        403,
        'This key is restricted from accessing this endpoint. Please use replication.sparkapi.com',
        1021,
      );
    if (call.method !== 'GET') return refused(405, 'Only GET is here');
    if (!call.path.startsWith(`${root}/`)) return refused(404, 'There is nothing here');
    const [name = '', tail] = call.path.slice(root.length + 1).split('/');
    if (name === '$metadata') {
      const body = metadata({ local, resources, links, enums });
      return { status: 200, headers: { 'content-type': 'application/xml' }, body };
    }
    const replication = tail === 'replication' && manner === 'bridge';
    if (!resources.includes(name) || (tail !== undefined && !replication))
      return refused(404, `There is no resource ${name}`);
    try {
      return answer(call, name, replication);
    } catch (error) {
      if (error instanceof BadQuestion) return refused(400, error.message);
      throw error;
    }
  };

  return {
    emulator: { provider: options.provider, hosts, handle },
    market,
    forgetLinks() {
      generation += 1;
    },
  };
}

function mostRows(manner: Manner, host: string, replication: boolean): number {
  if (manner === 'spark') return host.startsWith('replication.') ? 1_000 : 25;
  return replication ? 2_000 : 200;
}

const json = (status: number, body: unknown): Answer => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(body),
});
