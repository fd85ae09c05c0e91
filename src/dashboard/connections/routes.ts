// The pages on which accounts are connected and disconnected. What they post to begin an authorization is the
// API's; registering an app and disconnecting are their own.

import { type Context, Hono } from 'hono';
import { makerOf } from '../../auth/record-change.ts';
import type { ConnectForm } from '../../connections/connect/form.ts';
import { DrawbridgeError } from '../../errors.ts';
import { Secret } from '../../secret.ts';
import type { OrgStore } from '../../store/store.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import { contentPolicy } from '../page/content-policy.ts';
import { accountsFingerprint } from '../page/live.ts';
import { messagePage } from '../page/message.ts';
import { connectionsPage } from './accounts.ts';
import { type ConnectPage, connectAccountPage } from './connect-account.ts';

const idShape = /^[a-z0-9_-]{1,64}$/;

export interface ConnectPlace {
  /** As it has to be registered at the provider. */
  redirectUrl(c: Context<PageEnv>, provider: string): string;
  /** Other people than the org's owner come to these pages: apps are then registered by owners alone. */
  isShared: boolean;
  /** Where forms may be sent on to beside https. */
  leadsTo(c: Context<PageEnv>): string[];
}

/** A link may come from anybody: it names no server that a password is then typed for, and no program to start. */
function mayBeLinked({ consent, discovers }: ConnectForm, field: string): boolean {
  return consent !== undefined || (discovers && field !== 'command');
}

type Fields = (c: Context<PageEnv>) => Promise<(name: string) => string>;

export function connectRoutes(rooms: PageRooms, place: ConnectPlace, fieldsOf: Fields): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const { connections, clock } = rooms;
  const orgOf = (c: Context<PageEnv>): Promise<OrgStore> => rooms.orgFor(c.get('session').person.orgId);

  pages.get('/connections', async (c) => {
    const org = await orgOf(c);
    const [all, offers] = await Promise.all([connections.list(org), connections.offers(org)]);
    const connected = c.req.query('connected');
    return c.html(
      connectionsPage({
        session: c.get('session'),
        connections: all,
        offers,
        connected: all.find(({ id }) => id === connected),
        live: `/events?of=accounts&seen=${accountsFingerprint(all)}`,
        now: clock.now(),
      }),
    );
  });

  pages.get('/connect/:provider', async (c) => {
    const provider = idOf(c, 'provider');
    const { account, access, via, app, ...rest } = c.req.query();
    const form = await connections.form(provider);
    const fields = Object.entries(rest)
      .filter(([name]) => name.startsWith('field.'))
      .map(([name, value]): [string, string] => [name.slice('field.'.length), value.slice(0, 500)])
      .filter(([name]) => mayBeLinked(form, name));
    return showConnect(c, rooms, place, provider, {
      account,
      appAnew: app === 'anew',
      given: {
        fields: Object.fromEntries(fields),
        access: access === 'read' ? 'read' : 'write',
        via: via === 'mcp' ? 'mcp' : 'api',
      },
    });
  });

  pages.post('/connect/:provider/app', async (c) => {
    const provider = idOf(c, 'provider');
    const field = await fieldsOf(c);
    const { consent, fields } = await connections.form(provider);
    if (consent === undefined) throw new DrawbridgeError('not_found', 'No app has to be registered for it.');
    if (!(await mayRegister(c, rooms, place))) {
      throw new DrawbridgeError(
        'permission_denied',
        'Only an owner of this organisation registers apps: every account is connected with them.',
      );
    }
    const [clientId, clientSecret] = [field('clientId').trim(), field('clientSecret').trim()];
    if (clientId === '' || (consent.appHasSecret && clientSecret === '')) {
      throw new DrawbridgeError('invalid_request', 'Both the client ID and the client secret are needed.', {
        field: 'clientSecret',
      });
    }
    await connections.registerApp(await orgOf(c), consent.app, {
      clientId,
      ...(clientSecret === '' ? {} : { clientSecret: new Secret(clientSecret) }),
    });
    // What was chosen or typed before still stands.
    const chosen = ['access', 'via', 'account'].flatMap((name) =>
      idShape.test(field(name)) ? [[name, field(name)] as [string, string]] : [],
    );
    for (const { name } of fields) {
      const typed = field(`field.${name}`);
      if (typed !== '') chosen.push([`field.${name}`, typed]);
    }
    return c.redirect(`/connect/${provider}?${new URLSearchParams(chosen)}`, 303);
  });

  pages.post('/connections/:id/disconnect', async (c) => {
    const id = idOf(c, 'id');
    await fieldsOf(c);
    const org = await orgOf(c);
    const { label, providerTitle } = await connections.get(org, id);
    const { revoked, why } = await connections.disconnect(org, id, {
      by: makerOf(c.get('session').person),
      channel: 'page',
    });
    const text = await messagePage({
      title: 'Disconnected',
      session: c.get('session'),
      text: `${label} (${providerTitle}) is disconnected, and its credentials are deleted here.${revoked ? ' The grant is ended at the provider, too.' : ''}${why === undefined ? '' : ` ${why}`}`,
      link: { path: '/connections', title: 'Back to the accounts' },
    });
    return c.html(text);
  });

  return pages;
}

/** The page of one provider, with what was given before and what was wrong with it. */
export async function showConnect(
  c: Context<PageEnv>,
  rooms: Pick<PageRooms, 'connections' | 'orgFor' | 'members'>,
  place: ConnectPlace,
  provider: string,
  more: Pick<ConnectPage, 'given' | 'fault' | 'appAnew'> & { account: string | undefined },
): Promise<Response> {
  const session = c.get('session');
  const org = await rooms.orgFor(session.person.orgId);
  const offer = (await rooms.connections.offers(org)).find(({ id }) => id === provider);
  if (offer === undefined) {
    throw new DrawbridgeError('not_found', `There is no provider ${provider} that could be connected.`);
  }
  const again =
    more.account === undefined ? undefined : await rooms.connections.get(org, idShaped(more.account));
  if (again !== undefined && again.provider !== provider) {
    throw new DrawbridgeError('not_found', `That account is none of ${offer.title}.`);
  }
  const form = await rooms.connections.form(provider);
  if ((form.consent !== undefined || form.discovers) && offer.status === 'available') {
    c.header('Content-Security-Policy', contentPolicy(['https:', ...place.leadsTo(c)]));
  }
  return c.html(
    connectAccountPage({
      session,
      form,
      offer,
      again,
      redirectUrl: place.redirectUrl(c, provider),
      given: more.given,
      fault: more.fault,
      mayRegister: await mayRegister(c, rooms, place),
      appAnew: more.appAnew,
    }),
    more.fault === undefined ? 200 : 400,
  );
}

async function mayRegister(
  c: Context<PageEnv>,
  rooms: Pick<PageRooms, 'members'>,
  { isShared }: ConnectPlace,
): Promise<boolean> {
  if (!isShared) return true;
  const { orgId, memberId } = c.get('session').person;
  return (await rooms.members(orgId)).some(({ id, role }) => id === memberId && role === 'owner');
}

function idOf(c: Context<PageEnv>, name: 'id' | 'provider'): string {
  return idShaped(c.req.param(name) ?? '');
}

function idShaped(id: string): string {
  if (!idShape.test(id)) throw new DrawbridgeError('not_found', 'There is nothing of that name.');
  return id;
}
