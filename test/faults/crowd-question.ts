// Whether a stored mail is found: among the first answers to the question that only it answers, with nothing
// above it but mails of its own thread, which hold its words as their neighbours.
import type { Memory } from '../../src/memory/memory.ts';
import type { OrgStore } from '../../src/store/store.ts';
import { idOf, questionAbout, wordOf } from './crowd-mail.ts';

export async function isFound(org: OrgStore, memory: Memory, worker: number, n: number): Promise<boolean> {
  const { passages } = await memory.search(org, { question: questionAbout(worker, n), limit: 10 });
  const place = passages.findIndex((passage) => passage.text.includes(wordOf(worker, n)));
  const above = passages.slice(0, place).map((passage) => passage.documentId);
  if (place < 1) return place === 0;
  const threads = await org.read((db) =>
    db
      .selectFrom('source_documents')
      .select('thread_id')
      .distinct()
      .where((or) => or.or([or('external_id', '=', idOf(worker, n)), or('id', 'in', above)]))
      .execute(),
  );
  return threads.length === 1 && threads[0]?.thread_id !== null;
}
