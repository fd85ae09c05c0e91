// The person of the demo, as far as a program can be one: a browser's requests without the browser. Signs in
// with the page's link, reads the page, and submits the form that stands there; the queue is never called.

interface Form {
  action: string;
  fields: Record<string, string>;
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"' };
const decode = (text: string) =>
  text.replace(/&(?:#(\d+)|#x([0-9a-f]+)|(\w+));/gi, (whole, decimal, hex, name) => {
    if (decimal !== undefined) return String.fromCodePoint(Number(decimal));
    if (hex !== undefined) return String.fromCodePoint(Number.parseInt(hex, 16));
    return entities[name] ?? whole;
  });

const attribute = (tag: string, name: string) => {
  const value = new RegExp(`\\b${name}="([^"]*)"`).exec(tag)?.[1];
  return value === undefined ? undefined : decode(value);
};

/** The forms of a page with what they would submit untouched. */
export function formsOf(html: string): Form[] {
  return [...html.matchAll(/<form\b([^>]*)>([\s\S]*?)<\/form>/g)].map(([, head = '', inner = '']) => {
    const inputs = [...inner.matchAll(/<input\b[^>]*>/g)].flatMap(([tag]) => {
      const name = attribute(tag, 'name');
      const chosen = !/^(radio|checkbox)$/.test(attribute(tag, 'type') ?? '') || /\bchecked\b/.test(tag);
      return name === undefined || !chosen ? [] : [[name, attribute(tag, 'value') ?? '']];
    });
    return { action: attribute(head, 'action') ?? '', fields: Object.fromEntries(inputs) };
  });
}

export class Visitor {
  readonly #origin: string;
  #cookies = new Map<string, string>();

  /** @param origin where programs reach the pages: the browser's name for them may not resolve here */
  constructor(origin: string) {
    this.#origin = origin;
  }

  /** Opens a sign-in link and submits its form. @throws Error when that opens no session */
  async signIn(link: string): Promise<void> {
    const { pathname, search } = new URL(link);
    const [form] = formsOf(await this.read(pathname + search)).filter(({ action }) => action === '/sign-in');
    if (form === undefined) throw new Error('the sign-in page has no form');
    await this.#submit(form);
    if (this.#cookies.size === 0) throw new Error('signing in set no cookie');
  }

  /** The text of a page. @throws Error when it is not shown */
  async read(path: string): Promise<string> {
    const response = await this.#request(path, {});
    if (response.status !== 200) throw new Error(`${path} answered ${response.status}`);
    return response.text();
  }

  /**
   * Approves an action on its page, on the hash that the page shows.
   * @param expectedHash what was proposed; a page that shows another one is not approved
   */
  async approve(actionId: string, expectedHash: string): Promise<void> {
    const page = await this.read(`/actions/${actionId}`);
    const form = formsOf(page).find(({ fields }) => fields['verdict'] === 'approve');
    if (form === undefined) throw new Error('the approval page offers no approval');
    if (form.fields['hash'] !== expectedHash)
      throw new Error('the page shows another hash than was proposed');
    await this.#submit(form);
  }

  /**
   * Connects an account as a person does: our page, the provider's consent page, and back.
   * @returns the id of the connection
   * @throws Error when the way does not end at the account
   */
  async connect(provider: string): Promise<string> {
    const action = `/api/v1/integrations/${provider}/connect`;
    const form = formsOf(await this.read(`/connect/${provider}`)).find((one) => one.action === action);
    if (form === undefined) throw new Error(`the page of ${provider} has no form to connect it`);
    let place = await this.#agree(await this.#submit(form));
    for (let steps = 0; steps < 6; steps += 1) {
      const { pathname, search, searchParams } = new URL(place, this.#origin);
      const made = pathname === '/connections' ? searchParams.get('connected') : null;
      if (made !== null) return made;
      const response = await this.#request(pathname + search, {});
      const text = await response.text();
      const next =
        response.headers.get('location') ??
        decode(/http-equiv="refresh" content="0; url=([^"]*)"/.exec(text)?.[1] ?? '');
      if (next === '') throw new Error(`${provider}: ${pathname} answered ${response.status}`);
      place = next;
    }
    throw new Error(`${provider}: the way back does not end`);
  }

  /** Presses "allow" on the provider's page. @returns where it sends the browser */
  async #agree(consentPage: string): Promise<string> {
    const page = await (await fetch(consentPage)).text();
    const scopes = [...page.matchAll(/name="scope" value="([^"]*)"/g)].map(([, scope = '']) => decode(scope));
    const answer = await fetch(consentPage, {
      method: 'POST',
      body: new URLSearchParams([
        ['decision', 'allow'],
        ...scopes.map((scope): [string, string] => ['scope', scope]),
      ]),
      redirect: 'manual',
    });
    const back = answer.headers.get('location');
    if (back === null) throw new Error(`the consent page answered ${answer.status}`);
    return back;
  }

  /** @returns where the answer leads */
  async #submit({ action, fields }: Form): Promise<string> {
    const response = await this.#request(action, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: this.#origin },
      body: new URLSearchParams(fields).toString(),
    });
    const location = response.headers.get('location');
    if (response.status !== 303 || location === null)
      throw new Error(`${action} answered ${response.status}`);
    await response.arrayBuffer();
    return location;
  }

  async #request(path: string, init: RequestInit): Promise<Response> {
    const cookie = [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(new URL(path, this.#origin), {
      ...init,
      redirect: 'manual',
      headers: { ...init.headers, ...(cookie === '' ? {} : { cookie }) },
    });
    for (const line of response.headers.getSetCookie()) {
      const [pair = ''] = line.split(';');
      const equals = pair.indexOf('=');
      this.#cookies.set(pair.slice(0, equals), pair.slice(equals + 1));
    }
    return response;
  }
}
