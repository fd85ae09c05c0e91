// A person at a consent page of the sandbox, without a browser: opens the page, presses a button, and says
// where the browser would have been sent.

/**
 * @param url the authorization address as the provider would have got it (`https://HOST/path?…`)
 * @param sandbox the sandbox's own address (ProviderHosts.url)
 * @param given.scopes those left ticked; default: all that the page shows
 * @returns the address of the way back @throws Error with the page's text when the person is not sent back
 */
export async function consent(
  url: string | URL,
  sandbox: string,
  given: { press?: 'allow' | 'deny'; scopes?: readonly string[] } = {},
): Promise<URL> {
  const { host, pathname, search } = new URL(url);
  const address = `${sandbox}/${host}${pathname}${search}`;
  const shown = await fetch(address, { redirect: 'manual' });
  const early = shown.headers.get('location');
  if (early !== null) return new URL(early);
  const page = await shown.text();
  if (shown.status !== 200) throw new Error(`the consent page answers ${shown.status}: ${page}`);
  const offered = [...page.matchAll(/name="scope" value="([^"]*)"/g)].map(([, value = '']) => value);
  const pressed = new URLSearchParams({ decision: given.press ?? 'allow' });
  for (const scope of given.scopes ?? offered) pressed.append('scope', scope);
  const answer = await fetch(address, { method: 'POST', body: pressed, redirect: 'manual' });
  const back = answer.headers.get('location');
  if (back === null) throw new Error(`the consent page answers ${answer.status}: ${await answer.text()}`);
  return new URL(back);
}
