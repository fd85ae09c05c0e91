// The addresses of policy and passkeys. Looking changes nothing; each change is a POST with the session's token.
import { type Context, Hono } from 'hono';
import { DrawbridgeError } from '../../errors.ts';
import type { Deed } from '../../queue/decide/presence.ts';
import { days, writeEffects } from '../../queue/policy/rules.ts';
import type { OrgStore } from '../../store/store.ts';
import type { PageEnv, PageRooms } from '../environment.ts';
import { passkeysPage } from './passkeys.ts';
import { policyPage } from './policy-page.ts';

const idShape = /^[a-z0-9_]{1,64}$/;

type Field = (name: string) => string;
type Fields = (c: Context<PageEnv>) => Promise<Field>;

export function policyRoutes(rooms: PageRooms, fieldsOf: Fields): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  const { policy, presence, passkeys, clock, connections, queue } = rooms;
  const orgOf = (c: Context<PageEnv>): Promise<OrgStore> => rooms.orgFor(c.get('session').person.orgId);

  function idOf(c: Context<PageEnv>): string {
    const id = c.req.param('id') ?? '';
    if (!idShape.test(id)) throw new DrawbridgeError('not_found', 'There is no such page.');
    return id;
  }

  /** @throws DrawbridgeError `permission_denied` where a passkey has to sign the change and has not */
  async function confirmed(c: Context<PageEnv>, field: Field, kind: Deed['kind']): Promise<void> {
    const given = { deed: deedOf(kind, field), presence: presenceOf(field) };
    await presence.checkDeed(await orgOf(c), c.get('session').person, given);
  }

  async function showPolicy(c: Context<PageEnv>, given?: { field: Field; fault: string }): Promise<string> {
    const org = await orgOf(c);
    const [rules, signed, all, keys] = await Promise.all([
      policy.list(org),
      policy.signedEffects(org),
      connections.list(org),
      passkeys.list(org, c.get('session').person),
    ]);
    return policyPage({
      session: c.get('session'),
      rules,
      signed,
      hasPasskey: keys.length > 0,
      connections: all,
      given,
      now: clock.now(),
    });
  }

  pages.get('/policy', async (c) => c.html(await showPolicy(c)));

  pages.post('/policy', async (c) => {
    const field = await fieldsOf(c);
    try {
      const rule = { name: field('name'), outcome: field('outcome'), match: matchOf(field) };
      const mine = field('mine') === 'yes';
      const added = await policy.add(await orgOf(c), c.get('session').person, {
        rule,
        mine,
        channel: 'page',
      });
      return c.redirect(`/policy#${added.id}`, 303);
    } catch (thrown) {
      if (!(thrown instanceof DrawbridgeError) || thrown.code !== 'invalid_request') throw thrown;
      return c.html(await showPolicy(c, { field, fault: thrown.message }), 400);
    }
  });

  pages.post('/policy/presence', async (c) => {
    const field = await fieldsOf(c);
    await confirmed(c, field, 'effects');
    const effects = effectsOf(field);
    await policy.setSignedEffects(await orgOf(c), c.get('session').person, { effects, channel: 'page' });
    return c.redirect('/policy', 303);
  });

  pages.post('/policy/:id/remove', async (c) => {
    const id = idOf(c);
    await fieldsOf(c);
    await policy.remove(await orgOf(c), c.get('session').person, { id, channel: 'page' });
    return c.redirect('/policy', 303);
  });

  pages.get('/passkeys', async (c) => {
    const org = await orgOf(c);
    const session = c.get('session');
    const [mine, signed] = await Promise.all([passkeys.list(org, session.person), policy.signedEffects(org)]);
    return c.html(passkeysPage({ session, passkeys: mine, signed, now: clock.now() }));
  });

  pages.post('/passkeys/begin', async (c) => {
    await fieldsOf(c);
    const options = await passkeys.begin(await orgOf(c), c.get('session').person, c.get('origin'));
    return c.json({ options });
  });

  pages.post('/passkeys', async (c) => {
    const field = await fieldsOf(c);
    await confirmed(c, field, 'enrol');
    await passkeys.finish(await orgOf(c), c.get('session').person, {
      origin: c.get('origin'),
      name: field('name'),
      response: signedAnswer(field('response'))?.answer,
    });
    return c.redirect('/passkeys', 303);
  });

  pages.post('/passkeys/remove', async (c) => {
    const field = await fieldsOf(c);
    await confirmed(c, field, 'remove');
    await passkeys.remove(await orgOf(c), c.get('session').person, field('id'));
    return c.redirect('/passkeys', 303);
  });

  // What a passkey is to sign for such a change. Changes nothing.
  pages.post('/passkeys/sign/:kind', async (c) => {
    const field = await fieldsOf(c);
    const kind = c.req.param('kind');
    if (kind !== 'enrol' && kind !== 'remove' && kind !== 'effects') {
      throw new DrawbridgeError('not_found', 'There is no such page.');
    }
    const given = { deed: deedOf(kind, field), origin: c.get('origin') };
    return c.json(await presence.beginDeed(await orgOf(c), c.get('session').person, given));
  });

  // What a passkey is to sign for the decision that this form would make. Decides nothing.
  pages.post('/actions/:id/presence', async (c) => {
    const id = idOf(c);
    const field = await fieldsOf(c);
    const org = await orgOf(c);
    const action = await queue.get(org, id);
    const verdict = field('verdict') === 'reject' ? 'reject' : 'approve';
    const signing = await presence.begin(org, c.get('session').person, {
      actionId: action.id,
      verdict,
      // With edits: the hash of what was edited, as its page showed it.
      hash: field('covered') || field('hash'),
      origin: c.get('origin'),
    });
    return c.json(signing);
  });

  return pages;
}

interface SignedAnswer {
  /** The passkey's answer, as `toJSON` writes it. */
  answer?: unknown;
  nonce?: unknown;
  origin?: unknown;
}

function signedAnswer(text: string): SignedAnswer | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? value : undefined;
  } catch (thrown) {
    if (thrown instanceof SyntaxError) return undefined;
    throw thrown;
  }
}

const effectsOf = (field: Field) => writeEffects.filter((effect) => field(`signed-${effect}`) === 'yes');

function deedOf(kind: Deed['kind'], field: Field): Deed {
  return { kind, of: kind === 'effects' ? effectsOf(field).join(',') : kind === 'remove' ? field('id') : '' };
}

/** What the form of a decision carries of a passkey, for `decide`; undefined where it carries nothing. */
export function presenceOf(field: Field): unknown {
  const given = signedAnswer(field('presence'));
  return given === undefined
    ? undefined
    : { nonce: given.nonce, origin: given.origin, assertion: given.answer };
}

/** The conditions that were filled in. @throws DrawbridgeError `invalid_request` naming the field */
function matchOf(field: Field): object {
  const list = (name: string) =>
    field(name)
      .split(',')
      .map((word) => word.trim())
      .filter((word) => word !== '');
  const ticked = <Name extends string>(kind: string, names: readonly Name[]) =>
    names.filter((name) => field(`${kind}-${name}`) === 'yes');
  const parts = {
    providers: list('providers'),
    operations: list('operations'),
    effects: ticked('effect', writeEffects),
    connections: list('connection'),
    recipientDomains: list('domains'),
    principals: list('by').map((word) => {
      const [kind = '', ...rest] = word.split(':');
      return rest.length === 0 ? { kind } : { kind, id: rest.join(':') };
    }),
  };
  return {
    ...Object.fromEntries(Object.entries(parts).filter(([, items]) => items.length > 0)),
    ...amountOf(field('above').trim()),
    ...hoursOf(field, ticked('day', days)),
  };
}

function amountOf(text: string): object {
  if (text === '') return {};
  const match = /^(\d+(?:\.\d+)?) ?([A-Za-z]{3})$/.exec(text);
  if (match === null) throw notLike('above', text, '1000 EUR');
  return { amountAbove: { value: Number(match[1]), currency: (match[2] ?? '').toUpperCase() } };
}

function hoursOf(field: Field, chosen: readonly string[]): object {
  const text = field('between').trim();
  if (text === '') {
    if (chosen.length === 0) return {};
    throw notLike('between', text, '09:00-17:00');
  }
  const match = /^(\d\d:\d\d) ?[-–] ?(\d\d:\d\d)$/.exec(text);
  if (match === null) throw notLike('between', text, '09:00-17:00');
  const timeZone = field('timeZone').trim() || 'UTC';
  return {
    hours: { from: match[1], to: match[2], timeZone, ...(chosen.length === 0 ? {} : { days: chosen }) },
  };
}

function notLike(field: string, text: string, example: string): DrawbridgeError {
  return new DrawbridgeError('invalid_request', `${field}: "${text.slice(0, 60)}" is not like ${example}.`, {
    field,
  });
}
