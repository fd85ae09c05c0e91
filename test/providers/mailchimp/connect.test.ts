// The two ways into Mailchimp: signing in, with the data centre told by a call, and a key that names its own.
import { describe, expect, test } from 'vitest';
import { emulatedMailchimp } from '../../../sandbox/emulated-mailchimp.ts';
import { type Mailchimp, mailchimpKey } from '../../../sandbox/mailchimp/index.ts';
import { loadWorld } from '../../../sandbox/world.ts';
import { catalog } from '../../../src/providers/catalog.ts';
import { openProviderWorld } from '../../conformance/provider-world.ts';
import { manualClock } from '../../egress/manual-clock.ts';

const entry = catalog.find(({ id }) => id === 'mailchimp');
if (entry === undefined) throw new Error('Mailchimp is not in the catalogue');
const known = entry;

async function world() {
  const clock = manualClock();
  const other = await emulatedMailchimp['mailchimp']?.({ clock, world: loadWorld(clock.now()) });
  if (other === undefined) throw new Error('Mailchimp has no other side');
  const opened = await openProviderWorld(known, { other });
  const paste = (api_key: string) =>
    opened.connections.connect(opened.org, 'mailchimp', { fields: {}, secrets: { api_key } });
  return { ...opened, paste, mailchimp: other.emulators[0] as Mailchimp };
}

describe('mailchimp: connecting', () => {
  test('by signing in asks for the data centre first, and goes there with the token', async () => {
    const { connect, hosts } = await world();
    const connection = await connect();
    expect(connection).toMatchObject({ state: 'ACTIVE', label: 'Tidewell Homes', fields: { dc: 'us14' } });
    const asked = hosts.calls().map(({ method, host, path }) => `${method} ${host}${path}`);
    expect(asked.slice(-2)).toEqual([
      'GET login.mailchimp.com/oauth2/metadata',
      'GET us14.api.mailchimp.com/3.0/',
    ]);
  });

  test('that is led to another server by the metadata connects nothing, and the token goes nowhere', async () => {
    const { connect, hosts, mailchimp, connections, org } = await world();
    mailchimp.names('evil.example#');
    await expect(connect()).rejects.toMatchObject({ code: 'permission_denied' });
    expect(hosts.calls().some(({ host }) => host !== 'login.mailchimp.com')).toBe(false);
    expect((await connections.list(org)).filter(({ state }) => state === 'ACTIVE')).toEqual([]);
  });

  test('by a key needs no app and no sign-in: the data centre stands in it', async () => {
    const { paste, hosts, connections, org } = await world();
    const connection = await paste(mailchimpKey);
    expect(connection).toMatchObject({ state: 'ACTIVE', label: 'Tidewell Homes', fields: { dc: 'us14' } });
    const [call] = hosts.calls();
    expect(hosts.calls()).toHaveLength(1);
    expect(call).toMatchObject({
      host: 'us14.api.mailchimp.com',
      headers: { authorization: `Bearer ${mailchimpKey}` },
    });
    const { operations } = await connections.operations(org, connection.id);
    expect(operations.map(({ name }) => name)).toContain('put-contact');
    const feeds = await connections.feeds(org, connection);
    let records = 0;
    for await (const page of feeds[0]?.pages(undefined) ?? []) records += page.records.length;
    expect(records).toBeGreaterThan(0);
  });

  test('by a key and by signing in is one account, whichever came last', async () => {
    const { paste, connect, connections, org } = await world();
    const first = await paste(mailchimpKey);
    const second = await connect();
    expect(second.id).toBe(first.id);
    await connections.check(org, second.id);
    expect((await paste(mailchimpKey)).id).toBe(first.id);
    await connections.check(org, first.id);
    expect(await connections.list(org)).toHaveLength(1);
  });

  test.each(['0f1e2d3c4b5a69788796a5b4c3d2e1f0', '0f1e2d3c4b5a69788796a5b4c3d2e1f0-evil.example/'])(
    'by a key without a data centre of a known form is refused, and it goes nowhere: %j',
    async (key) => {
      const { paste, hosts } = await world();
      await expect(paste(key)).rejects.toMatchObject({ code: 'invalid_request', field: 'api_key' });
      expect(hosts.calls()).toEqual([]);
    },
  );

  test('a key that is taken no more makes the account EXPIRED', async () => {
    const { paste, mailchimp, connections, org } = await world();
    const { id } = await paste(mailchimpKey);
    mailchimp.revokeKey();
    await expect(connections.check(org, id)).rejects.toMatchObject({ retry: 'reconnect' });
    expect((await connections.get(org, id)).state).toBe('EXPIRED');
  });
});
