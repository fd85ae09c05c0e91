// What the picture of the sources shows: a mailbox that is being synced, and a calendar of which much is gone at once.
import { newId } from '../src/ids.ts';
import { leaseName } from '../src/jobs/sync.ts';
import type { House } from '../test/http/house.ts';

const minute = 60_000;

/** `asks`: the connection whose deletions a person is asked about; the first of the house is the one that runs. */
export async function fillSources(house: House, asks: string): Promise<void> {
  const { org } = house;
  const org_id = org.orgId;
  const now = await org.now();
  const both = house.connections.filter(({ id }) => id === 'con_1' || id === asks);
  await org.write(async (tx) => {
    for (const one of both.filter(({ id }) => id !== 'con_1')) {
      await tx
        .insertInto('connected_sources')
        .values({
          org_id,
          id: one.id,
          provider: one.provider,
          account: one.account,
          label: one.label,
          state: 'ACTIVE',
          fields: '{}',
          mcp_server_url: null,
          last_sync_at: now - 4 * minute,
          last_error: null,
          created_at: now,
          updated_at: now,
        })
        .execute();
    }
    for (const { id: connection_id } of both) {
      const running = connection_id === 'con_1';
      await tx
        .insertInto('ingestion_jobs')
        .values({
          org_id,
          id: newId('job', now),
          connection_id,
          kind: 'sync',
          state: running ? 'running' : 'completed',
          source: '[]',
          total: running ? 2_140 : null,
          seen: running ? 1_304 : 12,
          inserted: running ? 1_290 : 2,
          updated: running ? 14 : 1,
          unchanged: 0,
          deleted: 0,
          rejected: 0,
          problems: '[]',
          resume: null,
          started_at: now - minute,
          updated_at: now,
          finished_at: running ? null : now,
          cause: 'schedule',
        })
        .execute();
      await tx
        .insertInto('sync_schedules')
        .values({
          org_id,
          connection_id,
          every_ms: running ? null : 6 * 60 * minute,
          paused: 0,
          next_at: now + 6 * 60 * minute,
          failures: 0,
          last_error: null,
          full_wanted: 0,
          waiting_since: null,
          live_before: null,
          forgotten: 0,
          asked_at: running ? null : now,
          updated_at: now,
        })
        .execute();
    }
    const titles = ['Viewing, 7 Quay Street', 'Closing call, Hartmann', 'Photographer at Alder Court'];
    for (let n = 0; n < 38; n += 1) {
      const external_id = `event-${n}`;
      await tx
        .insertInto('source_documents')
        .values({
          org_id,
          id: newId('doc', now + n),
          connection_id: asks,
          provider: 'caldav',
          kind: 'event',
          external_id,
          title: titles[n % titles.length] ?? '',
          text: '',
          raw: new Uint8Array(),
          media_type: 'text/calendar',
          people: '[]',
          thread_id: null,
          url: null,
          language: null,
          trust: 'untrusted',
          readers: null,
          written_at: now - n * 60 * minute,
          fetched_at: now,
          verified_at: now,
          content_hash: '',
          facts: '{}',
          deleted_at: null,
        })
        .execute();
      if (n >= 31) continue;
      await tx
        .insertInto('held_deletions')
        .values({ org_id, connection_id: asks, external_id, state: 'held', at: now })
        .execute();
    }
    await tx
      .insertInto('leases')
      .values({ org_id, name: leaseName('con_1'), owner: 'picture', fencing: 1, until: now + 10 * minute })
      .execute();
  });
}
