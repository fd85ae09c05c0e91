// A CalDAV server that follows a script, for what no honest server does on demand: hang up after a PUT, forget
// a sync-token, lose an object between two requests, know no sync-collection.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface DavScript {
  /** Path below `/cal/` → entity tag and text. */
  objects: Map<string, { tag: string; text: string }>;
  /** Answer to sync-collection; undefined: 501. */
  sync?: (token: string) => { status: number; body?: string };
  put?: (response: ServerResponse, request: IncomingMessage) => void;
  /** Value of the DAV header. */
  dav?: string;
  /** Path that the scheduling inbox names as default. */
  defaultCalendar?: string;
  calendars?: string[];
  /** More properties of a calendar, as the list of calendars shows them: its marks. */
  marks?: (href: string) => string;
  /** Answer to the list of calendars at this path; undefined: as usual at `/home/`. */
  home?: (path: string) => { status: number } | undefined;
  /** Where the account says that its calendars are; default `/home/`. */
  homeAt?: () => string;
}

export interface DavServer {
  url: string;
  /** `METHOD path`, in order. */
  requests: string[];
  puts: { path: string; headers: IncomingMessage['headers']; body: string }[];
  stop(): Promise<void>;
}

const open =
  '<?xml version="1.0"?><d:multistatus xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav" xmlns:cs="http://calendarserver.org/ns/">';

export function multistatus(inner: string): string {
  return `${open}${inner}</d:multistatus>`;
}

export function responseFor(href: string, props: string): string {
  return `<d:response><d:href>${href}</d:href><d:propstat><d:prop>${props}</d:prop><d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>`;
}

export async function startDav(script: DavScript): Promise<DavServer> {
  const requests: string[] = [];
  const puts: DavServer['puts'] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const path = request.url ?? '/';
      requests.push(`${request.method} ${path}`);
      answer(script, request, response, path, Buffer.concat(chunks).toString('utf8'), puts);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    requests,
    puts,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function answer(
  script: DavScript,
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
  body: string,
  puts: DavServer['puts'],
): void {
  const xml = (inner: string) =>
    response.writeHead(207, { 'content-type': 'application/xml; charset=utf-8' }).end(multistatus(inner));
  const { method } = request;
  if (method === 'PUT') {
    puts.push({ path, headers: request.headers, body });
    if (script.put === undefined) response.writeHead(201).end();
    else script.put(response, request);
  } else if (method === 'OPTIONS') response.writeHead(200, { dav: script.dav ?? '1, calendar-access' }).end();
  else if (method === 'GET') {
    const object = script.objects.get(path.replace(/^\/cal\//, ''));
    if (object === undefined) response.writeHead(404).end();
    else response.writeHead(200, { 'content-type': 'text/calendar' }).end(object.text);
  } else if (method === 'PROPFIND' && path.startsWith('/.well-known/')) response.writeHead(404).end();
  else if (method === 'PROPFIND' && path === '/') {
    xml(responseFor('/', '<d:current-user-principal><d:href>/me/</d:href></d:current-user-principal>'));
  } else if (method === 'PROPFIND' && path === '/me/') {
    xml(
      responseFor(
        '/me/',
        `<c:calendar-home-set><d:href>${script.homeAt?.() ?? '/home/'}</d:href></c:calendar-home-set>` +
          '<c:calendar-user-address-set><d:href>mailto:ann@example.com</d:href></c:calendar-user-address-set>' +
          '<c:schedule-inbox-URL><d:href>/inbox/</d:href></c:schedule-inbox-URL>',
      ),
    );
  } else if (method === 'PROPFIND' && path === '/inbox/') {
    const href = script.defaultCalendar;
    xml(
      responseFor(
        '/inbox/',
        href === undefined
          ? ''
          : `<c:schedule-default-calendar-URL><d:href>${href}</d:href></c:schedule-default-calendar-URL>`,
      ),
    );
  } else if (method === 'PROPFIND' && script.home?.(path) !== undefined) {
    response.writeHead(script.home(path)?.status ?? 500).end();
  } else if (method === 'PROPFIND' && path === (script.homeAt?.() ?? '/home/')) {
    xml(
      (script.calendars ?? ['/cal/'])
        .map((href) =>
          responseFor(
            href,
            `<d:displayname>${href.split('/')[1]}</d:displayname><d:resourcetype><d:collection/><c:calendar/></d:resourcetype>${script.marks?.(href) ?? ''}`,
          ),
        )
        .join(''),
    );
  } else if (method === 'PROPFIND' && path === '/cal/') {
    xml(
      responseFor('/cal/', '<d:resourcetype><d:collection/></d:resourcetype><d:getetag>"c"</d:getetag>') +
        [...script.objects]
          .map(([name, { tag }]) => responseFor(`/cal/${name}`, `<d:getetag>${tag}</d:getetag>`))
          .join(''),
    );
  } else if (method === 'REPORT' && body.includes('sync-collection')) {
    const token = /<d:sync-token>([^<]*)<\/d:sync-token>/.exec(body)?.[1] ?? '';
    const said = script.sync?.(token) ?? { status: 501 };
    response.writeHead(said.status, { 'content-type': 'application/xml' }).end(said.body);
  } else if (method === 'REPORT' && body.includes('calendar-multiget')) {
    const wanted = [...body.matchAll(/<d:href>([^<]*)<\/d:href>/g)].map(([, href = '']) => href);
    xml(
      wanted
        .map((href) => {
          const object = script.objects.get(href.replace(/^\/cal\//, ''));
          return object === undefined
            ? `<d:response><d:href>${href}</d:href><d:status>HTTP/1.1 404 Not Found</d:status></d:response>`
            : objectFor(href, object.tag, object.text);
        })
        .join(''),
    );
  } else if (method === 'REPORT' && body.includes('calendar-query')) {
    // Whatever time was asked for: a reader has to look by itself.
    xml([...script.objects].map(([name, { tag, text }]) => objectFor(`/cal/${name}`, tag, text)).join(''));
  } else response.writeHead(405).end();
}

function objectFor(href: string, tag: string, text: string): string {
  const data = `<c:calendar-data><![CDATA[${text}]]></c:calendar-data>`;
  return responseFor(href, `<d:getetag>${tag}</d:getetag>${data}`);
}
