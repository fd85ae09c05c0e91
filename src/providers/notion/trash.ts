// A page into the trash, and back. https://developers.notion.com/reference/archive-a-page
import { z } from 'zod';
import { type WriteOperation, type WriteOutcome, writeOperation } from '../define.ts';
import { sendWrite } from '../request.ts';
import { http, notionId } from './http.ts';
import { getPage } from './page.ts';
import { assertTitle } from './places.ts';
import { titleOf } from './properties.ts';
import { type Page, page } from './shapes.ts';

const input = z.object({
  id: notionId,
  title: z.string().max(2000).describe('Title of the page, as `get-page` gives it'),
});
type Input = z.infer<typeof input>;

export const trashPage = moving({
  into: true,
  effect: 'delete',
  title: 'Move a page to the trash',
  description: 'A page, with the pages below it, goes to the trash of Notion, where it stays for 30 days.',
  summary: ({ title }, account) => `Move “${title}” in ${account} to the trash, with the pages below it`,
  back: { title: 'Take it out of the trash', operation: 'restore-page' },
});

export const restorePage = moving({
  into: false,
  effect: 'update',
  title: 'Take a page out of the trash',
  description: 'A page comes back to where it was.',
  summary: ({ title }, account) => `Take “${title}” in ${account} out of the trash`,
  back: { title: 'Move it to the trash', operation: 'trash-page' },
});

function moving(given: {
  into: boolean;
  effect: 'delete' | 'update';
  title: string;
  description: string;
  summary(payload: Input, account: string): string;
  back: { title: string; operation: string };
}): WriteOperation<Input> {
  const { into, back } = given;
  return writeOperation<Input>({
    effect: given.effect,
    version: 1,
    title: given.title,
    description: given.description,
    idempotency: 'look-up',
    input,
    summary: given.summary,
    async before(context, { id }) {
      const found = await getPage(context, id);
      const title = titleOf(found);
      return {
        title,
        ...(found.url === undefined ? {} : { url: found.url }),
        fields: { title, inTrash: found.in_trash === true },
        after: { inTrash: into },
      };
    },
    checkMeant: ({ title }, { fields }) => assertTitle('title', title, fields['title']),
    compensation: { ...back, payload: ({ id, title }) => ({ id, title }) },
    async run(context, { id }) {
      const moved = await sendWrite(context, http, {
        method: 'PATCH',
        path: '/v1/pages/{id}',
        params: { id },
        body: { in_trash: into },
        output: page,
      });
      return outcomeOf(moved);
    },
    async lookUp(context, { id }) {
      const found = await getPage(context, id);
      if ((found.in_trash === true) === into) return { found: true, outcome: outcomeOf(found) };
      const evidence = `The page “${titleOf(found)}” is ${into ? 'not in the trash' : 'in the trash'}.`;
      // A repeat finds it so again, and changes nothing.
      return { found: false, conclusive: true, evidence };
    },
  });
}

function outcomeOf({ id, url, ...found }: Page): WriteOutcome {
  const details = { id, title: titleOf(found), inTrash: found.in_trash === true };
  return { reference: id, ...(url === undefined ? {} : { url }), details };
}
