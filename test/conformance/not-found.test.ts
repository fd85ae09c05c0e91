// An id that the provider does not know is answered with that id, by its field, and with what gives the right one.
import { expect, test } from 'vitest';
import { catalog } from '../../src/providers/catalog.ts';
import { openProviderWorld } from './provider-world.ts';

const unknown: [provider: string, operation: string, input: Record<string, string>, finders: string[]][] = [
  ['outlook', 'get', { id: 'AAMkAGUnknown' }, ['list', 'search']],
  ['outlook', 'get-event', { id: 'AAMkAGUnknown' }, ['events']],
  ['slack', 'get-channel', { channel: 'C0UNKNOWN1' }, ['list-channels']],
  ['slack', 'history', { channel: 'C0UNKNOWN1' }, ['list-channels']],
  ['slack', 'get-user', { id: 'U0UNKNOWN1' }, ['list-users']],
  ['notion', 'get-page', { id: '0123456789abcdef0123456789abcdef' }, ['search']],
  ['notion', 'query-database', { database: '0123456789abcdef0123456789abcdef' }, ['search']],
  ['dropbox', 'get', { path: '/Nowhere/none.txt' }, ['list', 'search']],
  ['dropbox', 'text', { path: '/Nowhere/none.txt' }, ['list', 'search']],
  ['reso', 'get', { id: 'unknown-1' }, ['search']],
  ['bridge', 'get', { id: 'unknown-1' }, ['search']],
  ['spark', 'get', { id: 'unknown-1' }, ['search']],
  ['shopify', 'get-draft-order', { id: '4004004' }, ['search-draft-orders']],
  ['shopify', 'get-order', { id: '4004004' }, ['search-orders']],
  ['mailchimp', 'get-campaign', { id: 'unknown1' }, ['list-campaigns']],
  ['mailchimp', 'list-contacts', { audience: 'unknown1' }, ['list-audiences']],
  ['hubspot', 'get-contact', { id: '4004004' }, ['search-contacts']],
  ['quickbooks', 'get-invoice', { id: '4004004' }, ['search-invoices']],
  ['gmail', 'get', { id: '18f0000000000000' }, ['list', 'search']],
  ['gmail', 'thread', { id: '18f0000000000000' }, ['threads']],
  ['google-calendar', 'get', { eventId: 'unknown1' }, ['events']],
  ['google-drive', 'get', { id: 'unknown-file-of-nobody' }, ['search']],
];

test.for(unknown)(
  '%s says of %s what was not there, and what finds it',
  async ([id, name, input, finders]) => {
    const entry = catalog.find((one) => one.id === id);
    if (entry === undefined) throw new Error(`no ${id}`);
    const { org, connections, connect } = await openProviderWorld(entry);
    const connection = await connect();
    const [[field, value]] = Object.entries(input) as [[string, string]];
    const error = await connections.runRead(org, connection, name, input).catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: 'not_found', field: `input.${field}` });
    const { message } = error as Error;
    expect(message).toContain(`input.${field} "`);
    expect(message.toLowerCase().replaceAll('-', '')).toContain(value.toLowerCase().replaceAll('-', ''));
    expect(message).toMatch(new RegExp(`found with ${finders.map((one) => `\`${one}\``).join(', ')}\\.$`));
  },
);
