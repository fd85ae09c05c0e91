// How far each of an org's embedders is, the one that answers first.
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import { currentOf, type EmbedderRow, readChosen, readFault, readRows } from './embedder-rows.ts';
import { keptMs } from './embedder-work.ts';
import type { EmbedderSettings } from './settings.ts';
import { staticEn, staticEnName } from './static-en.ts';

/** What the environment says is asked again after that, where it failed. */
export const faultWaitMs = 60_000;

export interface EmbedderStatus {
  name: string;
  /** `ready`: the built-in one, while another answers. `waiting`: the environment's, which could not be asked yet. */
  state: EmbedderRow['state'] | 'ready' | 'waiting';
  dimensions: number;
  settings: EmbedderSettings | undefined;
  /** Chunks that were embedded, or refused; all chunks of the org. */
  done: number;
  total: number;
  refused: number;
  error: EmbedderRow['error'];
  /** When it is tried again, after an error; integer ms. */
  retryAt: number | undefined;
  /** When the vectors of a former one go, integer ms. */
  purgeAt: number | undefined;
}

/** `fromEnvironment`: what orgs get that chose nothing; undefined: the built-in one. */
export async function readStatus(
  org: OrgStore,
  fromEnvironment: EmbedderSettings | undefined,
): Promise<EmbedderStatus[]> {
  const { rows, total, behind, chosen, fault } = await org.read(async (db) => {
    const all = await readRows(db, org.orgId);
    const countAfter = async (after: number) =>
      Number(
        (
          await db
            .selectFrom('chunks')
            .select((select) => select.fn.countAll().as('n'))
            .where('org_id', '=', org.orgId)
            .where('seq', '>', after)
            .executeTakeFirst()
        )?.n ?? 0,
      );
    const left = new Map<string, number>();
    for (const row of all) left.set(row.name, await countAfter(row.doneSeq));
    const { chosen } = await readChosen(db, org.orgId);
    const fault = await readFault(db, org.orgId);
    return { rows: all, total: await countAfter(0), behind: left, chosen, fault };
  });
  const order = { current: 0, building: 1, former: 2, purging: 3 };
  const listed = rows
    .toSorted((a, b) => order[a.state] - order[b.state])
    .map(
      (row): EmbedderStatus => ({
        name: row.name,
        state: row.state,
        dimensions: row.dimensions,
        settings: row.settings,
        done: total - (behind.get(row.name) ?? 0),
        total,
        refused: row.refused,
        error: row.error,
        retryAt: row.retryAt === 0 ? undefined : row.retryAt,
        purgeAt: row.state === 'former' ? (row.switchedAt ?? 0) + keptMs : undefined,
      }),
    );
  const own: EmbedderStatus = {
    name: staticEnName,
    state: currentOf(rows) === undefined ? 'current' : 'ready',
    dimensions: staticEn.dimensions,
    settings: undefined,
    done: total,
    total,
    refused: 0,
    error: undefined,
    retryAt: undefined,
    purgeAt: undefined,
  };
  const wanted = fromEnvironment === undefined ? undefined : toJson(fromEnvironment);
  const isBegun = rows.some(({ settings }) => settings !== undefined && toJson(settings) === wanted);
  const late: EmbedderStatus[] =
    chosen !== null || fromEnvironment === undefined || isBegun
      ? []
      : [
          {
            ...own,
            name: `${fromEnvironment.kind}:${fromEnvironment.model}`,
            state: 'waiting',
            dimensions: 0,
            settings: fromEnvironment,
            done: 0,
            error: fault,
            retryAt: fault === undefined ? undefined : fault.at + faultWaitMs,
          },
        ];
  return own.state === 'current' ? [own, ...listed, ...late] : [...listed, ...late, own];
}
