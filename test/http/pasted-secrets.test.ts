// A secret in place of a sign-in: its form on the page asks for all that the account needs beside it.
import { expect, test } from 'vitest';
import { formOf } from '../../src/connections/connect/form.ts';
import { catalog } from '../../src/providers/catalog.ts';
import { openGuildHouse } from './guild-house.ts';

test('every provider that takes a pasted secret asks for its fields beside it, and posts them together', async () => {
  const asked: string[] = [];
  for (const entry of catalog) {
    const form = formOf(await entry.load());
    if (form.pasted === undefined) continue;
    asked.push(entry.id);
    const house = await openGuildHouse({ options: { catalog: [entry], apps: new Map() } });
    const page = (await (await house.signedIn()).get(`/connect/${entry.id}`)).body;
    const pasting = page
      .split('<form ')
      .find((one) => one.slice(0, one.indexOf('</form>')).includes(`name="secret.${form.pasted}"`));
    for (const { name } of form.fields)
      expect(pasting, `${entry.id} ${name}`).toContain(`name="field.${name}"`);
    expect(pasting).not.toContain('(optional)');
    const [line = ''] = (await (await house.signedIn()).get('/connections')).body
      .split('<li>')
      .filter((one) => one.includes(`href="/connect/${entry.id}"`));
    expect(line).toContain('by a secret that you paste');
    expect(line).not.toContain('not registered');
  }
  expect(asked).toEqual(['mailchimp', 'notion', 'shopify']);
});
