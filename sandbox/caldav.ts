// A CalDAV server on loopback (RFC 4791, 4918, 5397, 6578): discovery, one collection, conditional writes,
// queries and sync tokens, behind basic authentication.
import { CalendarStore, occursIn } from './calendar-store.ts';
import type { Faults } from './faults.ts';
import { type Answer, type Asked, startHttp } from './http.ts';
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

const dav = 'DAV:';
const cal = 'urn:ietf:params:xml:ns:caldav';
const multistatusOpen = `<?xml version="1.0" encoding="utf-8"?>\n<d:multistatus xmlns:d="${dav}" xmlns:c="${cal}" xmlns:cs="http://calendarserver.org/ns/" xmlns:a="http://apple.com/ns/ical/">`;

type Properties = Record<string, string>;

interface Resource {
  href: string;
  /** Local name of a property → its element, written out. */
  properties: Properties;
}

export async function startCaldav(options: { user: string; password: string }): Promise<CaldavServer> {
  const { user, password } = options;
  const store = new CalendarStore();
  const principal = `/principals/${encodeURIComponent(user)}/`;
  const home = `/calendars/${encodeURIComponent(user)}/`;
  const collection = `${home}work/`;
  const expected = `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  let tokenPrefix = '';

  const syncToken = () => `${tokenPrefix}/sync/${store.version}`;
  const objectHref = (name: string) => `${collection}${encodeURIComponent(name)}`;

  const shared: Properties = {
    'current-user-principal': `<d:current-user-principal><d:href>${principal}</d:href></d:current-user-principal>`,
    'principal-URL': `<d:principal-URL><d:href>${principal}</d:href></d:principal-URL>`,
    'current-user-privilege-set':
      '<d:current-user-privilege-set><d:privilege><d:read/></d:privilege><d:privilege><d:write/></d:privilege></d:current-user-privilege-set>',
    owner: `<d:owner><d:href>${principal}</d:href></d:owner>`,
  };

  function resources(path: string): Resource | undefined {
    if (path === '/') {
      return {
        href: '/',
        properties: { ...shared, resourcetype: '<d:resourcetype><d:collection/></d:resourcetype>' },
      };
    }
    if (path === principal) {
      return {
        href: principal,
        properties: {
          ...shared,
          resourcetype: '<d:resourcetype><d:collection/><d:principal/></d:resourcetype>',
          displayname: `<d:displayname>${escapeXml(user)}</d:displayname>`,
          'calendar-home-set': `<c:calendar-home-set><d:href>${home}</d:href></c:calendar-home-set>`,
          'calendar-user-address-set': `<c:calendar-user-address-set><d:href>mailto:${escapeXml(user)}</d:href></c:calendar-user-address-set>`,
        },
      };
    }
    if (path === home) {
      return {
        href: home,
        properties: { ...shared, resourcetype: '<d:resourcetype><d:collection/></d:resourcetype>' },
      };
    }
    if (path === collection) {
      const reports = ['calendar-query', 'calendar-multiget'].map((name) => `<c:${name}/>`);
      const supported = [...reports, '<d:sync-collection/>'].map(
        (report) => `<d:supported-report><d:report>${report}</d:report></d:supported-report>`,
      );
      return {
        href: collection,
        properties: {
          ...shared,
          resourcetype: '<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>',
          displayname: '<d:displayname>Work</d:displayname>',
          'calendar-description': '<c:calendar-description>Viewings and the rest</c:calendar-description>',
          'calendar-color': '<a:calendar-color>#2f6f8fff</a:calendar-color>',
          'supported-calendar-component-set':
            '<c:supported-calendar-component-set><c:comp name="VEVENT"/></c:supported-calendar-component-set>',
          'supported-report-set': `<d:supported-report-set>${supported.join('')}</d:supported-report-set>`,
          getctag: `<cs:getctag>${store.version}</cs:getctag>`,
          'sync-token': `<d:sync-token>${escapeXml(syncToken())}</d:sync-token>`,
        },
      };
    }
    const object = path.startsWith(collection)
      ? store.get(decodeURIComponent(path.slice(collection.length)))
      : undefined;
    if (object === undefined) return undefined;
    return {
      href: objectHref(object.name),
      properties: {
        resourcetype: '<d:resourcetype/>',
        getetag: `<d:getetag>${escapeXml(object.etag)}</d:getetag>`,
        getcontenttype: '<d:getcontenttype>text/calendar; charset=utf-8; component=VEVENT</d:getcontenttype>',
        getcontentlength: `<d:getcontentlength>${Buffer.byteLength(object.ics)}</d:getcontentlength>`,
        'calendar-data': `<c:calendar-data>${escapeXml(object.ics)}</c:calendar-data>`,
      },
    };
  }

  function responseFor(resource: Resource, wanted: string[] | undefined): string {
    // All of them, bar the one that RFC 4791 9.6 says must be named.
    const names = wanted ?? Object.keys(resource.properties).filter((name) => name !== 'calendar-data');
    const there = names.flatMap((name) => resource.properties[name] ?? []);
    const missing = names.filter((name) => !(name in resource.properties));
    const propstat = (xml: string, status: string) =>
      xml === ''
        ? ''
        : `<d:propstat><d:prop>${xml}</d:prop><d:status>HTTP/1.1 ${status}</d:status></d:propstat>`;
    const found = propstat(there.join(''), '200 OK');
    const absent = propstat(missing.map((name) => `<d:${name}/>`).join(''), '404 Not Found');
    return `<d:response><d:href>${resource.href}</d:href>${found}${absent || (found === '' ? '<d:propstat><d:prop/><d:status>HTTP/1.1 200 OK</d:status></d:propstat>' : '')}</d:response>`;
  }

  const gone = (href: string) =>
    `<d:response><d:href>${href}</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>`;

  const multistatus = (responses: string[], tail = ''): Answer => ({
    status: 207,
    headers: { 'content-type': 'application/xml; charset=utf-8', dav: '1, 3, calendar-access' },
    body: `${multistatusOpen}${responses.join('')}${tail}</d:multistatus>`,
  });

  const failure = (status: number, condition: string): Answer => ({
    status,
    headers: { 'content-type': 'application/xml; charset=utf-8' },
    body: `<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="${dav}" xmlns:c="${cal}">${condition}</d:error>`,
  });

  const wantedOf = (request: Element | undefined) => {
    const prop = childOf(request, 'prop');
    return prop?.children.map((child) => child.name);
  };

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
    const known = given === '' || given === `${tokenPrefix}/sync/${version}`;
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

  const http = await startHttp((asked): Answer => {
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
  });
  const url = `http://${http.host}:${http.port}/`;
  tokenPrefix = `${url}ns`;
  return {
    url,
    user,
    password,
    faults: http.faults,
    store,
    events: () => store.objects().map((object) => object.ics),
    requests: http.requests,
    close: http.close,
  };
}
