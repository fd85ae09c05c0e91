// QuickBooks Online on loopback: Intuit's OAuth pages and tokens, and one company's books, with versions,
// request ids, queries, change data capture, limits and faults.
import type { Clock } from '../../src/clock.ts';
import type { AuthorizationServer } from '../authorization.ts';
import { createAuthorizationServer } from '../authorization-server.ts';
import type { Answer } from '../http.ts';
import type { Call, Emulator } from '../providers.ts';
import { fault, json, pacific, Refused, throttled, unauthenticated } from './answers.ts';
import { createLedger } from './ledger.ts';
import { compare, fits, type Parsed, parseQuery } from './query.ts';
import { type Body, type BookRecord, Books, type Entity, entities } from './state.ts';

export interface QuickbooksEmulator extends Emulator {
  books: Books;
  auth: AuthorizationServer;
  realm: string;
  /** What was sent by e-mail, in order. */
  mails(): { entity: Entity; id: string; to: string }[];
}

export interface QuickbooksOptions {
  clock: Clock;
  app?: { clientId: string; clientSecret: string };
  redirectUris?: readonly string[];
  company?: string;
  /** Rows of a query and objects of change data capture; QuickBooks's are 1,000. */
  mostRows?: number;
  /** Enforced where given: calls in any minute. */
  perMinute?: number;
  /** Seconds; QuickBooks's are 3,600. */
  accessLivesS?: number;
  rotation?: 'always' | 'never';
}

export const quickbooksApp = {
  clientId: 'quickbooks-app',
  clientSecret: 'quickbooks-app-secret-of-the-sandbox',
};
const realm = '9341453908872241';
const scope = 'com.intuit.quickbooks.accounting';
const reachMs = 30 * 86_400_000;

export function createQuickbooks(options: QuickbooksOptions): QuickbooksEmulator {
  const { clock, mostRows = 1_000, perMinute } = options;
  const books = new Books(clock);
  const mails: { entity: Entity; id: string; to: string }[] = [];
  const ledger = createLedger(
    books,
    () => clock.now(),
    (mail) => void mails.push(mail),
  );
  const auth = createAuthorizationServer(
    {
      authorizePath: '/connect/oauth2',
      tokenPath: '/oauth2/v1/tokens/bearer',
      revokePath: '/v2/oauth2/tokens/revoke',
      app: options.app ?? quickbooksApp,
      ...(options.redirectUris === undefined ? {} : { redirectUris: options.redirectUris }),
      pkce: 'optional',
      clientAuthentication: 'basic',
      accessLivesS: options.accessLivesS ?? 3_600,
      rotation: options.rotation ?? 'always',
      callbackExtras: { realmId: realm },
      answerExtras: {
        x_refresh_token_expires_in: 8_726_400,
        x_refresh_token_hard_expires_in: 157_680_000,
      },
    },
    clock,
  );
  const calls: number[] = [];
  /** The first answer of a request id is every later one's. */
  const answered = new Map<string, Answer>();

  function api(call: Call): Answer {
    const [, company, rest = ''] = /^\/v3\/company\/(\d+)\/(.+)$/.exec(call.path) ?? [];
    if (company !== realm) {
      const message = 'message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403';
      return fault(403, clock.now(), { code: '3100', message, type: 'AuthorizationFault' });
    }
    const [head = '', id, action] = rest.split('/').map(decodeURIComponent);
    if (head === 'companyinfo' && call.method === 'GET')
      return json(200, { CompanyInfo: companyInfo(), time: time() });
    if (head === 'query' && call.method === 'GET') return query(call.query.get('query') ?? '');
    if (head === 'cdc' && call.method === 'GET') return capture(call.query);
    const entity = entities.find((one) => one.toLowerCase() === head);
    if (entity === undefined) return unsupported(`Operation ${head} is not supported.`);
    if (call.method === 'GET' && id !== undefined && action === undefined) return get(entity, id);
    if (call.method !== 'POST') return unsupported(`${call.method} is not supported.`);
    return onceOnly(call, () => write(entity, call, id, action));
  }

  function onceOnly(call: Call, work: () => Answer): Answer {
    const requestId = call.query.get('requestid');
    const before = requestId === null ? undefined : answered.get(requestId);
    if (before !== undefined) return before;
    let answer: Answer;
    try {
      answer = work();
    } catch (thrown) {
      if (!(thrown instanceof Refused)) throw thrown;
      answer = thrown.answer;
    }
    if (requestId !== null) answered.set(requestId, answer);
    return answer;
  }

  function write(entity: Entity, call: Call, id: string | undefined, action: string | undefined): Answer {
    if (id !== undefined) {
      if (action !== 'send') return unsupported(`${action} is not supported.`);
      return one(entity, ledger.send(entity, id, call.query.get('sendTo')));
    }
    const body = bodyOf(call);
    if (body === undefined) return unsupported('the body is no JSON object');
    const operation = call.query.get('operation');
    if (operation === 'delete') {
      ledger.remove(entity, body);
      return json(200, { [entity]: { Id: body['Id'], domain: 'QBO', status: 'Deleted' }, time: time() });
    }
    const voids = operation === 'void' || (entity === 'Payment' && call.query.get('include') === 'void');
    if (voids) return one(entity, ledger.void(entity, body));
    return one(entity, body['Id'] === undefined ? ledger.create(entity, body) : ledger.update(entity, body));
  }

  function get(entity: Entity, id: string): Answer {
    const record = books.get(entity, id);
    if (record !== undefined) return one(entity, record);
    const detail = `Object Not Found : Something you’re trying to use has been made inactive. Check the fields with ${entity} ${id}.`;
    return fault(400, clock.now(), { code: '610', message: 'Object Not Found', detail });
  }

  function query(text: string): Answer {
    let parsed: Parsed;
    try {
      parsed = parseQuery(text);
    } catch (thrown) {
      const detail = thrown instanceof Error ? thrown.message : 'QueryParserError';
      return fault(400, clock.now(), { code: '4000', message: 'Error parsing query', detail });
    }
    const { entity: name, conditions, orderBy, start, most } = parsed;
    const entity = entities.find((one) => one === name);
    if (entity === undefined || most < 1 || most > 1_000 || start < 1) {
      return fault(400, clock.now(), { code: '4001', message: 'Invalid query' });
    }
    const asksActive = conditions.some(({ property }) => property === 'Active');
    const rows = books
      .all(entity)
      .map((record) => books.shown(entity, record))
      .filter((row) => asksActive || row['Active'] !== false)
      .filter((row) => conditions.every((condition) => fits(fieldOf(row, condition.property), condition)));
    if (orderBy !== undefined) {
      const sign = orderBy.descending ? -1 : 1;
      rows.sort((a, b) => sign * compare(fieldOf(a, orderBy.property), fieldOf(b, orderBy.property)));
    }
    if (parsed.count) return json(200, { QueryResponse: { totalCount: rows.length }, time: time() });
    const page = rows.slice(start - 1, start - 1 + Math.min(most, mostRows));
    const response =
      page.length === 0 ? {} : { [entity]: page, startPosition: start, maxResults: page.length };
    return json(200, { QueryResponse: response, time: time() });
  }

  function capture(asked: URLSearchParams): Answer {
    const since = Date.parse(asked.get('changedSince') ?? '');
    const names = (asked.get('entities') ?? '').split(',');
    const wanted = entities.filter((entity) => names.includes(entity));
    if (Number.isNaN(since) || wanted.length !== names.length) {
      return fault(400, clock.now(), { code: '2170', message: 'Invalid Enumeration' });
    }
    if (since < clock.now() - reachMs) {
      return fault(400, clock.now(), { code: '4002', message: 'changedSince is more than 30 days ago' });
    }
    const responses = wanted.map((entity) => {
      const rows = books.changes(entity, since).slice(0, mostRows);
      return rows.length === 0 ? {} : { [entity]: rows, startPosition: 1, maxResults: rows.length };
    });
    return json(200, { CDCResponse: [{ QueryResponse: responses }], time: time() });
  }

  const time = () => pacific(clock.now());
  const one = (entity: Entity, record: BookRecord) =>
    json(200, { [entity]: books.shown(entity, record), time: time() });
  const unsupported = (detail: string) =>
    fault(400, clock.now(), { code: '500', message: 'Unsupported Operation', detail });

  function companyInfo(): Body {
    return {
      CompanyName: options.company ?? 'Tidewell Homes',
      LegalName: 'Tidewell Homes LLC',
      CompanyAddr: {
        Id: '1',
        Line1: '3 Chandlers Row',
        City: 'Port Ansel',
        CountrySubDivisionCode: 'OR',
        PostalCode: '97399',
      },
      Country: 'US',
      Email: { Address: 'office@tidewell.example' },
      PrimaryPhone: { FreeFormNumber: '+1 541 555 0140' },
      FiscalYearStartMonth: 'January',
      SupportedLanguages: 'en',
      domain: 'QBO',
      sparse: false,
      Id: '1',
      SyncToken: '4',
      MetaData: { CreateTime: pacific(0), LastUpdatedTime: pacific(0) },
    };
  }

  return {
    provider: 'quickbooks',
    hosts: [
      'quickbooks.api.intuit.com',
      'sandbox-quickbooks.api.intuit.com',
      'appcenter.intuit.com',
      'oauth.platform.intuit.com',
      'developer.api.intuit.com',
    ],
    books,
    auth,
    realm,
    mails: () => [...mails],
    handle(call) {
      if (!call.host.endsWith('quickbooks.api.intuit.com')) return auth.handle(call) ?? { status: 404 };
      if (!(auth.scopesOf(call.headers['authorization']) ?? []).includes(scope))
        return unauthenticated(clock.now());
      if (perMinute !== undefined) {
        const now = clock.elapsed();
        while ((calls[0] ?? now) <= now - 60_000) calls.shift();
        if (calls.length >= perMinute) return throttled(clock.now());
        calls.push(now);
      }
      return api(call);
    },
  };
}

function fieldOf(row: Body, property: string): unknown {
  const value = property
    .split('.')
    .reduce<unknown>(
      (at, name) => (typeof at === 'object' && at !== null ? (at as Body)[name] : undefined),
      row,
    );
  if (typeof value !== 'object' || value === null) return value;
  // A reference is compared by its id, an address by itself.
  const { value: id, Address: address } = value as Body;
  return id ?? address;
}

function bodyOf({ body }: Call): Body | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)
      ? (parsed as Body)
      : undefined;
  } catch {
    return undefined;
  }
}
