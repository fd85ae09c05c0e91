// A CalDAV server on loopback (RFC 4791, 4918, 5397, 6578): discovery, one collection, conditional writes,
// queries and sync tokens, behind basic authentication.
import { davResources, failure, gone, multistatus, responseFor } from './caldav-resources.ts';
import { CalendarStore, occursIn } from './calendar-store.ts';
import type { Faults } from './faults.ts';
import { type Answer, type Asked, startHttp } from './http.ts';
import type { Emulator } from './providers.ts';
import { childOf, childrenOf, type Element, escapeXml, parseXml } from './xml.ts';

export interface CaldavServer {
  /** What a person types: the server's root. */
  url: string;
  user: string;
  password: string;
  faults: Faults;
  store: CalendarStore;
  /** The stored objects as iCalendar text. */
  events(): string[];
  requests(): Asked[];
  close(): Promise<void>;
}

export interface Caldav extends Emulator {
  store: CalendarStore;
  answer(asked: Asked): Answer;
}

/** @param options.url its own address, once that is known: sync tokens begin with it */
export function createCaldav(options: { user: string; password: string; url(): string }): Caldav {
  const { user, password } = options;
  const store = new CalendarStore();
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  const tokenPrefix = () => `${options.url()}ns`;

  const { home, collection, syncToken, objectHref, resources } = davResources(store, user, tokenPrefix);

  const wantedOf = (request: Element | undefined) => childOf(request, 'prop')?.children;

  function propfind(asked: Asked): Answer {
    const self = resources(asked.path);
    if (self === undefined) return { status: 404 };
    const wanted = wantedOf(asked.body.trim() === '' ? undefined : parseXml(asked.body));
    const inner: Record<string, string[]> = {
      [home]: [collection],
      [collection]: store.objects().map((object) => objectHref(object.name)),
    };
    const below = asked.headers['depth'] === '0' ? [] : (inner[asked.path] ?? []);
    const all = [self, ...below.flatMap((path) => resources(path) ?? [])];
    return multistatus(all.map((resource) => responseFor(resource, wanted)));
  }

  const parseTime = (text: string | undefined, otherwise: number) => {
    const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text ?? '');
    if (match === null) return otherwise;
    const [, year, month, day, hour, minute, second] = match;
    return Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  };

  function query(request: Element): Answer {
    const calendar = childOf(childOf(request, 'filter'), 'comp-filter');
    const event = childOf(calendar, 'comp-filter');
    const range = childOf(event, 'time-range') ?? childOf(calendar, 'time-range');
    const from = parseTime(range?.attributes['start'], Number.NEGATIVE_INFINITY);
    const to = parseTime(range?.attributes['end'], Number.POSITIVE_INFINITY);
    const uid = childrenOf(event, 'prop-filter').find((filter) => filter.attributes['name'] === 'UID');
    const wantedUid = childOf(uid, 'text-match')?.text;
    if (event !== undefined && event.attributes['name'] !== 'VEVENT') return multistatus([]);
    if (range !== undefined && to === Number.POSITIVE_INFINITY && from === Number.NEGATIVE_INFINITY) {
      return failure(400, '<c:valid-filter/>');
    }
    const fitting = store
      .objects()
      .filter((object) => wantedUid === undefined || object.uid.includes(wantedUid))
      .filter((object) => range === undefined || occursIn(object.ics, from, Math.min(to, 8.64e15)));
    return multistatus(
      fitting.flatMap((object) => {
        const resource = resources(objectHref(object.name));
        return resource === undefined ? [] : [responseFor(resource, wantedOf(request))];
      }),
    );
  }

  function multiget(request: Element): Answer {
    const hrefs = childrenOf(request, 'href').map((element) => element.text.trim());
    return multistatus(
      hrefs.map((href) => {
        const path = href.startsWith('http') ? new URL(href).pathname : href;
        const resource = resources(path);
        return resource === undefined ? gone(href) : responseFor(resource, wantedOf(request));
      }),
    );
  }

  function sync(request: Element): Answer {
    const given = childOf(request, 'sync-token')?.text.trim() ?? '';
    const version = given === '' ? 0 : Number(given.split('/').at(-1));
    const known = given === '' || given === `${tokenPrefix()}/sync/${version}`;
    const changed =
      given === ''
        ? store.objects().map((object) => object.name)
        : known
          ? store.changedSince(version)?.filter((name) => name !== '')
          : undefined;
    if (changed === undefined) return failure(403, '<d:valid-sync-token/>');
    const responses = changed.map((name) => {
      const resource = resources(objectHref(name));
      return resource === undefined ? gone(objectHref(name)) : responseFor(resource, wantedOf(request));
    });
    return multistatus(responses, `<d:sync-token>${escapeXml(syncToken())}</d:sync-token>`);
  }

  function report(asked: Asked): Answer {
    if (asked.path !== collection) return { status: 404 };
    const request = parseXml(asked.body);
    if (request.name === 'calendar-query') return query(request);
    if (request.name === 'calendar-multiget') return multiget(request);
    if (request.name === 'sync-collection') return sync(request);
    return failure(403, '<d:supported-report/>');
  }

  function put(asked: Asked, name: string): Answer {
    const there = store.get(name);
    if (asked.headers['if-none-match'] === '*' && there !== undefined) return { status: 412 };
    const match = asked.headers['if-match'];
    if (match !== undefined && match !== '*' && match !== there?.etag) return { status: 412 };
    if (match === '*' && there === undefined) return { status: 412 };
    try {
      const other = store.byUid(/^UID:(.+?)\s*$/m.exec(asked.body)?.[1] ?? '');
      if (other !== undefined && other.name !== name) {
        return failure(
          403,
          `<c:no-uid-conflict><d:href>${objectHref(other.name)}</d:href></c:no-uid-conflict>`,
        );
      }
      const object = store.put(name, asked.body);
      return { status: there === undefined ? 201 : 204, headers: { etag: object.etag } };
    } catch {
      // RFC 4791 5.3.2.1: what is no calendar object is refused by this precondition.
      return failure(403, '<c:valid-calendar-data/>');
    }
  }

  function handleObject(asked: Asked, name: string): Answer {
    const there = store.get(name);
    if (asked.method === 'PUT') return put(asked, name);
    if (there === undefined) return { status: 404 };
    if (asked.method === 'DELETE') {
      const match = asked.headers['if-match'];
      if (match !== undefined && match !== '*' && match !== there.etag) return { status: 412 };
      store.delete(name);
      return { status: 204 };
    }
    const headers = { 'content-type': 'text/calendar; charset=utf-8', etag: there.etag };
    return asked.method === 'HEAD' ? { status: 200, headers } : { status: 200, headers, body: there.ics };
  }

  function answer(asked: Asked): Answer {
    if (asked.path === '/.well-known/caldav') return { status: 301, headers: { location: '/' } };
    if (asked.headers['authorization'] !== expected) {
      return { status: 401, headers: { 'www-authenticate': 'Basic realm="Sandbox calendar"' } };
    }
    switch (asked.method) {
      case 'OPTIONS':
        return {
          status: 200,
          headers: {
            dav: '1, 3, calendar-access',
            allow: 'OPTIONS, GET, HEAD, PUT, DELETE, PROPFIND, REPORT',
          },
        };
      case 'PROPFIND':
        return propfind(asked);
      case 'REPORT':
        return report(asked);
      case 'GET':
      case 'HEAD':
      case 'PUT':
      case 'DELETE': {
        if (!asked.path.startsWith(collection)) return { status: 405 };
        const name = decodeURIComponent(asked.path.slice(collection.length));
        return name === '' || name.includes('/') ? { status: 405 } : handleObject(asked, name);
      }
      default:
        return { status: 405 };
    }
  }

  return { provider: 'caldav', hosts: [caldavHost], store, answer, handle: answer };
}

/** Where it stands among the emulated hosts. */
export const caldavHost = 'calendar.sandbox.example';

export async function startCaldav(options: { user: string; password: string }): Promise<CaldavServer> {
  let url = '';
  const { store, answer } = createCaldav({ ...options, url: () => url });
  const http = await startHttp(answer);
  url = `http://${http.host}:${http.port}/`;
  return {
    ...options,
    url,
    faults: http.faults,
    store,
    events: () => store.objects().map((object) => object.ics),
    requests: http.requests,
    close: http.close,
  };
}
