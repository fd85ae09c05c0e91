// connect-provider: the page on which a person connects an account, or connects one again, and what it will
// ask for. It changes nothing by itself: only a person can agree at a provider.
import { z } from 'zod';
import { DrawbridgeError } from '../errors.ts';
import { visibleLine } from '../untrusted.ts';
import { defineTool, type ToolContext } from './define.ts';
import { accountsNamed } from './names/accounts.ts';

const output = z.object({
  url: z.string().optional(),
  asks: z.array(z.string()).optional().describe('What the person is asked to permit'),
  providers: z.array(z.object({ id: z.string(), title: z.string(), status: z.string() })).optional(),
});

export const connectProvider = defineTool({
  name: 'connect-provider',
  title: 'Connect an account',
  description:
    'Gives the page on which a person connects an account, or connects an expired one again. Without provider and account it lists what can be connected. Give the person the url; list-connections shows when it is done.',
  kind: 'read',
  live: false,
  input: z.object({
    provider: z.string().optional().describe('Such as gmail'),
    access: z.enum(['read', 'write']).default('write').describe('write: agents may also propose'),
    account: z.string().optional().describe('To connect again'),
  }),
  output,
  async run(context, input) {
    const { rooms, org } = context;
    const offers = await rooms.connections.offers(org);
    const again = input.account === undefined ? undefined : await accountOf(context, input.account);
    const provider = again?.provider ?? input.provider;
    if (provider === undefined) {
      const providers = offers.map(({ id, title, status }) => ({ id, title, status }));
      const lines = providers.map(({ id, title, status }) => `${id}: ${title}, ${status}`);
      return { data: { providers }, text: lines.join('\n') };
    }
    const offer = offers.find(({ id }) => id === provider);
    if (offer === undefined || offer.status === 'off') {
      const known = offers.filter(({ status }) => status !== 'off').map(({ id }) => id);
      throw new DrawbridgeError(
        offer === undefined ? 'not_found' : 'permission_denied',
        offer === undefined
          ? `provider: there is no "${visibleLine(provider, 60)}". There are: ${known.join(', ')}.`
          : `${offer.title} is switched off in this installation.`,
        { field: 'provider' },
      );
    }
    const form = await rooms.connections.form(provider);
    const asks = [
      ...(form.consent === undefined ? [] : titlesOf(form.consent[input.access])),
      ...(offer.status !== 'not-configured'
        ? []
        : offer.pasted === undefined
          ? [`first, to register an app at ${offer.title}`]
          : [`to paste this: ${offer.pasted}; or to register an app at ${offer.title}`]),
      ...form.secrets.filter(({ required }) => required).map(({ title }) => title),
    ];
    const query = new URLSearchParams({
      access: input.access,
      ...(again === undefined ? {} : { account: again.id }),
    });
    const url = rooms.pageUrl(`/connect/${provider}?${query}`);
    const whose = again === undefined ? '' : ` ${visibleLine(again.label, 120)} again`;
    const text = `A person connects ${offer.title}${whose} here, signed in to Drawbridge: ${url}\nThey are asked for: ${asks.join('; ') || 'their consent'}.`;
    return {
      data: { url, asks },
      text,
      lead: { url, message: `Connect ${offer.title}${whose} to Drawbridge` },
    };
  },
});

/** @throws DrawbridgeError `invalid_request` naming the accounts, unless it is exactly one */
async function accountOf({ rooms, org }: ToolContext, name: string) {
  const [one, another] = accountsNamed(await rooms.connections.list(org), name);
  if (one !== undefined && another === undefined) return one;
  throw new DrawbridgeError(
    'invalid_request',
    'account: several accounts are called that. Give the id that list-connections shows.',
    { field: 'account', retry: 'ask' },
  );
}

function titlesOf(scopes: readonly { needed: readonly string[] }[]): string[] {
  return [...new Set(scopes.flatMap(({ needed }) => needed))];
}
