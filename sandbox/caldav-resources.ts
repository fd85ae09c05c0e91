// What a CalDAV server has to show, and how a multistatus says it (RFC 4918 13, RFC 4791 5 and 6).
import type { CalendarStore } from './calendar-store.ts';
import type { Answer } from './http.ts';
import { escapeXml } from './xml.ts';

const dav = 'DAV:';
const cal = 'urn:ietf:params:xml:ns:caldav';
const multistatusOpen = `<?xml version="1.0" encoding="utf-8"?>\n<d:multistatus xmlns:d="${dav}" xmlns:c="${cal}" xmlns:cs="http://calendarserver.org/ns/" xmlns:a="http://apple.com/ns/ical/">`;

type Properties = Record<string, string>;

interface Resource {
  href: string;
  /** Local name of a property → its element, written out. */
  properties: Properties;
}

/** The resources of one user with one collection. Paths end in a slash, objects do not. */
export function davResources(store: CalendarStore, user: string, tokenPrefix: () => string) {
  const principal = `/principals/${encodeURIComponent(user)}/`;
  const home = `/calendars/${encodeURIComponent(user)}/`;
  const collection = `${home}work/`;

  const syncToken = () => `${tokenPrefix()}/sync/${store.version}`;
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

  return { home, collection, syncToken, objectHref, resources };
}

/** A property that a client asked for. */
export interface PropertyName {
  namespace: string;
  name: string;
}

/** One response of a multistatus: what is there, and what was asked for in vain. */
export function responseFor(resource: Resource, wanted: PropertyName[] | undefined): string {
  const { href, properties } = resource;
  // All of them, bar the one that RFC 4791 9.6 says must be named.
  const all = Object.keys(properties).filter((name) => name !== 'calendar-data');
  const names = wanted?.map(({ name }) => name) ?? all;
  const found = names.flatMap((name) => properties[name] ?? []).join('');
  const absent = (wanted ?? [])
    .filter(({ name }) => !(name in properties))
    .map(({ namespace, name }) => `<x:${name} xmlns:x="${escapeXml(namespace)}"/>`)
    .join('');
  const propstat = (xml: string, status: string) =>
    `<d:propstat><d:prop>${xml}</d:prop><d:status>HTTP/1.1 ${status}</d:status></d:propstat>`;
  const stats = [
    // A response holds one propstat at least (RFC 4918 14.24).
    ...(found !== '' || absent === '' ? [propstat(found, '200 OK')] : []),
    ...(absent === '' ? [] : [propstat(absent, '404 Not Found')]),
  ];
  return `<d:response><d:href>${href}</d:href>${stats.join('')}</d:response>`;
}

export const gone = (href: string) =>
  `<d:response><d:href>${href}</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>`;

export const multistatus = (responses: string[], tail = ''): Answer => ({
  status: 207,
  headers: { 'content-type': 'application/xml; charset=utf-8', dav: '1, 3, calendar-access' },
  body: `${multistatusOpen}${responses.join('')}${tail}</d:multistatus>`,
});

/** A precondition that failed, named (RFC 4918 16). */
export const failure = (status: number, condition: string): Answer => ({
  status,
  headers: { 'content-type': 'application/xml; charset=utf-8' },
  body: `<?xml version="1.0" encoding="utf-8"?>\n<d:error xmlns:d="${dav}" xmlns:c="${cal}">${condition}</d:error>`,
});
