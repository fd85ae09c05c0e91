// The first hits in the order of a reranker, all others behind them as they are ranked. What may not leave is not sent: it
// stays where it stood.
import { DrawbridgeError } from '../../errors.ts';
import type { OrgStore } from '../../store/store.ts';
import { nothingHidden } from '../../viewer.ts';
import { textOf } from '../documents/packed.ts';
import { rowsOf } from '../documents/passages.ts';
import { readSensitivity } from '../documents/sensitivity.ts';
import type { IndexHit } from '../index/search-index.ts';
import type { HitsOf } from '../search.ts';
import type { Candidate, ChosenReranker, Reranking } from './reranking.ts';

/** Far below what tells two scores apart: it keeps the order where scores are equal. */
const apart = 1e-9;

/**
 * Those that have a score change places among each other, and take on the score that stood at their new place: what two
 * models call a good score is not comparable, and so nothing behind the first hits moves. Best first, and so is the answer.
 */
export function inOrder(hits: readonly IndexHit[], scores: ReadonlyMap<number, number>): IndexHit[] {
  const places = hits.flatMap(({ seq }, place) => (scores.has(seq) ? [place] : []));
  const byScore = places
    .flatMap((place) => hits[place] ?? [])
    // Equals stay as they are ranked.
    .sort((a, b) => (scores.get(b.seq) ?? 0) - (scores.get(a.seq) ?? 0));
  const ordered = [...hits];
  const best = hits[0]?.score ?? 0;
  places.forEach((place, i) => {
    const hit = byScore[i];
    if (hit === undefined) return;
    const score = (hits[place]?.score ?? 0) + (hits.length - place) * apart * best;
    ordered[place] = { ...hit, score, parts: { ...hit.parts, reranker: score - hit.score } };
  });
  return ordered;
}

/**
 * What may go to a server of others: what this viewer sees, without what people hid from agents, whoever asks. Undefined
 * where that cannot be read.
 */
async function shareable(org: OrgStore): Promise<Pick<OrgStore, 'orgId' | 'viewer'> | undefined> {
  const { orgId, viewer } = org;
  const hidden = await readSensitivity(org).catch((thrown: unknown) => {
    if (thrown instanceof DrawbridgeError && thrown.code === 'internal') return undefined;
    throw thrown;
  });
  if (hidden === undefined) return undefined;
  const { kinds, connections, labels } = hidden;
  const own = viewer?.hidden ?? nothingHidden;
  return {
    orgId,
    viewer: {
      readerNames: viewer?.readerNames,
      hidden: {
        kinds: [...own.kinds, ...kinds],
        connections: [...own.connections, ...connections],
        labels: [...own.labels, ...labels],
      },
    },
  };
}

/**
 * `unreranked`: why the reranker had no say in what was found so far; `reranked`: how many of the first hits it put in order.
 */
export function reranked(
  org: OrgStore,
  given: {
    reranking: Pick<Reranking, 'scores'>;
    chosen: ChosenReranker;
    question: string;
    ranked: HitsOf;
  },
): { hitsOf: HitsOf; unreranked(): string | undefined; reranked(): number } {
  const { reranking, chosen, question, ranked } = given;
  const { passages: most } = chosen.settings;
  let why: string | undefined;

  async function candidates(hits: readonly IndexHit[]): Promise<Candidate[]> {
    const seer = chosen.host === undefined ? org : await shareable(org);
    if (seer === undefined) {
      why =
        'In the order of memory alone: what is hidden from agents cannot be read, so nothing was sent to the reranker (drawbridge sensitivity).';
      return [];
    }
    const rows = await org.read((db) => rowsOf(db, seer, hits));
    return hits.flatMap(({ seq }) => {
      const row = rows.get(seq);
      if (row === undefined) return [];
      return [{ seq, text: `${row.title}\n${textOf(row).slice(row.start_at, row.end_at)}` }];
    });
  }

  return {
    async hitsOf(filters, { limit, offset }) {
      if (offset >= most) return ranked(filters, { limit, offset });
      const hits = await ranked(filters, { limit: Math.max(most, offset + limit), offset: 0 });
      const first = hits.slice(0, most);
      const sent = await candidates(first);
      if (sent.length < 2) return hits.slice(offset, offset + limit);
      const found = await reranking.scores(org, chosen, question, sent);
      if ('unreranked' in found) why = found.unreranked;
      const ordered = 'scores' in found ? inOrder(first, found.scores) : first;
      return [...ordered, ...hits.slice(most)].slice(offset, offset + limit);
    },
    unreranked: () => why,
    reranked: () => (why === undefined ? most : 0),
  };
}
