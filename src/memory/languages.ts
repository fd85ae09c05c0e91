// The languages that most of an org's documents are written in: a question's words are looked up under each.
import type { Kysely } from 'kysely';
import type { Clock } from '../clock.ts';
import type { OrgStore } from '../store/store.ts';
import type { OrgTables } from '../store/tables.ts';
import { fallbackLanguage } from './language/stem.ts';

const most = 3;
/** Less than this share of the documents is no language of the collection. */
const minShare = 0.03;
const rememberedMs = 60_000;

/** Most frequent first; remembered for a minute. */
export function createLanguages(
  clock: Clock,
): (db: Kysely<OrgTables>, org: Pick<OrgStore, 'orgId' | 'dialect'>) => Promise<string[]> {
  const remembered = new Map<string, { languages: string[]; documents: number; at: number }>();
  return async (db, { orgId, dialect }) => {
    const known = remembered.get(orgId);
    // A small collection may become another with its next batch, and counting it costs nothing.
    if (known !== undefined && known.documents > 1000 && clock.elapsed() - known.at < rememberedMs) {
      return known.languages;
    }
    const rows = await db
      .selectFrom('source_documents')
      .select(['language', (count) => count.fn.countAll().as('n')])
      // An org's own file counts in an index, which does not say whose the rows are: all are that one's.
      .where((is) =>
        dialect === 'sqlite'
          ? is.exists(is.selectFrom('orgs').select('id').where('id', '=', orgId))
          : is('org_id', '=', orgId),
      )
      .where('deleted_at', 'is', null)
      .groupBy('language')
      .execute();
    const counts = new Map<string, number>();
    let documents = 0;
    for (const row of rows) {
      const language = row.language ?? fallbackLanguage;
      counts.set(language, (counts.get(language) ?? 0) + Number(row.n));
      documents += Number(row.n);
    }
    const languages = [...counts]
      .filter(([, count]) => count >= documents * minShare)
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .slice(0, most)
      .map(([language]) => language);
    remembered.set(orgId, { languages, documents, at: clock.elapsed() });
    return languages;
  };
}
