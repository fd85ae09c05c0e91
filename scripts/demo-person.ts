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
      return name === undefined ? [] : [[name, attribute(tag, 'value') ?? '']];
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

  async #submit({ action, fields }: Form): Promise<void> {
    const response = await this.#request(action, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded', origin: this.#origin },
      body: new URLSearchParams(fields).toString(),
    });
    if (response.status !== 303) throw new Error(`${action} answered ${response.status}`);
    await response.arrayBuffer();
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
