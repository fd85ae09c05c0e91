// Letting go: personal values of an action that has come to its end, and the record's oldest entries. Entries go
// only from the front, only where a signed checkpoint says how far, and none that is younger than a year.
import { sql } from 'kysely';
import type { Migration } from './migration.ts';
import { appRole } from './row-security.ts';

/** Whatever is configured: the database itself lets no younger entry go. */
const youngestMs = 365 * 24 * 3_600_000;

export const erasure: Migration = {
  number: 5,
  name: 'erasure',

  async org(kit) {
    await kit.tx.schema
      .alterTable('action_queue')
      .addColumn('erased_at', kit.dialect === 'postgres' ? 'bigint' : 'integer')
      .execute();
    // `seq`: the last entry that went; `checkpoint`: signed, over that entry; `archive_hash`: SHA-256 of the export.
    await kit.orgTable('audit_cuts', {
      columns: { seq: 'integer', at: 'integer', checkpoint: 'text', archive: 'text', archive_hash: 'text' },
      key: ['seq'],
      appendOnly: true,
    });
    if (kit.dialect === 'sqlite') {
      await sql`drop trigger audit_log_no_delete`.execute(kit.tx);
      await sql`create trigger audit_log_no_delete before delete on audit_log
        when old.at > unixepoch() * 1000 - ${sql.lit(youngestMs)}
          or not exists (select 1 from audit_cuts where org_id = old.org_id and seq >= old.seq)
        begin select raise(abort, 'rows of this table are only ever added'); end`.execute(kit.tx);
    } else {
      // The role of the orgs still deletes nothing: this deletes for it, and judges by itself. A table of the
      // caller's own making (pg_temp) is not taken for ours.
      await sql`create function cut_audit(upto bigint) returns bigint
        language plpgsql security definer set search_path = drawbridge, pg_temp as $$
        declare
          mine text := current_setting('drawbridge.org_id', true);
          gone bigint;
        begin
          if not exists (select 1 from audit_cuts where org_id = mine and seq = upto)
            or exists (select 1 from audit_log where org_id = mine and seq <= upto
              and at > floor(extract(epoch from clock_timestamp()) * 1000)::bigint - ${sql.lit(youngestMs)})
          then
            raise exception 'rows of this table are only ever added';
          end if;
          delete from audit_log where org_id = mine and seq <= upto;
          get diagnostics gone = row_count;
          return gone;
        end $$`.execute(kit.tx);
      await sql`revoke all on function cut_audit(bigint) from public`.execute(kit.tx);
      await sql`grant execute on function cut_audit(bigint) to ${sql.id(appRole)}`.execute(kit.tx);
    }
  },
};
