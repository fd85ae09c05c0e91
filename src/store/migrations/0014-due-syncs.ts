// On PostgreSQL: a function that puts every org's due syncs in the queue, so that pg_cron can do it while no process
// of ours looks. It asks for what `requestDue` of jobs/ asks for, by the same rule.
import { sql } from 'kysely';
import { cronJob, cronUsable, tellCron } from '../postgres/pg-cron.ts';
import { pgmqUsable } from '../postgres/pgmq.ts';
import type { Kit } from './kit.ts';
import { orgSetting } from './row-security.ts';

const path = sql.raw('drawbridge, pg_temp');
const setting = sql.lit(orgSetting);

export async function addDueSyncs(kit: Kit): Promise<void> {
  if (kit.dialect !== 'postgres') return;
  await nextSync(kit);
  await messageId(kit);
  await send(kit);
  await queueDue(kit);
  for (const name of [
    'next_sync(text, bigint, bigint, text)',
    'message_id(bigint, integer)',
    'waits_in_queue(text, text, text)',
    'send_message(text, text, json, bigint, integer)',
    'queue_due_syncs(text, bigint)',
  ]) {
    await sql`revoke all on function ${sql.raw(name)} from public`.execute(kit.tx);
  }
  await tellCron(kit.tx);
}

/** `nextRun`: so much later, or in the small hours of `zone`, at a time of the connection's own. */
async function nextSync({ tx }: Kit): Promise<void> {
  await sql`create function next_sync(connection_id text, every_ms bigint, now_ms bigint, zone text)
    returns bigint language plpgsql stable set search_path = ${path} as $$
    declare
      hash bytea := sha256(convert_to(connection_id, 'UTF8'));
      spread bigint := ((get_byte(hash, 0)::bigint << 24) + (get_byte(hash, 1) << 16)
        + (get_byte(hash, 2) << 8) + get_byte(hash, 3)) % 10800000;
      wall timestamp := date_trunc('day', to_timestamp(now_ms / 1000.0) at time zone zone) + interval '2 hours';
      night timestamptz;
      at_ms bigint;
    begin
      if every_ms is not null then
        return now_ms + every_ms;
      end if;
      loop
        night := wall at time zone zone;
        -- Of an hour that comes twice, the first.
        if ((night - interval '1 hour') at time zone zone) = wall then
          night := night - interval '1 hour';
        end if;
        at_ms := floor(extract(epoch from night) * 1000)::bigint + spread;
        exit when at_ms > now_ms + 60000;
        wall := wall + interval '1 day';
      end loop;
      return at_ms;
    end $$`.execute(tx);
}

/** As ids.ts makes them: they sort by time, and those of one call by their number. */
async function messageId({ tx }: Kit): Promise<void> {
  await sql`create function message_id(now_ms bigint, number integer)
    returns text language sql volatile set search_path = ${path} as $$
      with random as (select uuid_send(gen_random_uuid()) as bytes),
        parts as (
          select place, ((now_ms >> (5 * (10 - place))) & 31)::integer as digit from generate_series(1, 10) as place
          union all
          select 10 + place, (number >> (5 * (4 - place))) & 31 from generate_series(1, 4) as place
          union all
          -- Not bytes 6 and 8, of which a UUID fixes bits.
          select 15 + place - case when place > 8 then 2 when place > 6 then 1 else 0 end,
            get_byte(bytes, place) & 31
          from random, generate_series(0, 13) as place where place not in (6, 8)
        )
      select 'msg_' || string_agg(substr('0123456789abcdefghjkmnpqrstvwxyz', digit + 1, 1), '' order by place)
      from parts
    $$`.execute(tx);
}

/**
 * The verb `send`, and whether a connection's message is in the queue still: through pgmq where this user may, as
 * store/postgres/pgmq.ts does it, else in the table.
 */
async function send({ tx }: Kit): Promise<void> {
  await sql`create function waits_in_queue(org text, queue_name text, connection text)
    returns boolean language plpgsql stable set search_path = ${path} as $$
    declare
      name text := 'q_' || lower(queue_name || '_' || org);
      waits boolean;
    begin
      if ${pgmqUsable} then
        if to_regclass(format('pgmq.%I', name)) is null then
          return false;
        end if;
        execute format('select exists (select 1 from pgmq.%I where message ->> ''connectionId'' = $1)', name)
          into waits using connection;
        return waits;
      end if;
      return exists (
        select 1 from messages m
        where m.org_id = org and m.queue = queue_name and m.message::json ->> 'connectionId' = connection
      );
    end $$`.execute(tx);
  await sql`create function send_message(org text, queue_name text, body json, now_ms bigint, number integer)
    returns void language plpgsql volatile set search_path = ${path} as $$
    declare
      name text := queue_name || '_' || org;
    begin
      if ${pgmqUsable} then
        if to_regclass(format('pgmq.%I', 'q_' || lower(name))) is null then
          perform pgmq.create(name);
        end if;
        perform pgmq.send(name, body::jsonb, 0);
      else
        insert into messages (org_id, queue, id, read_count, enqueued_at, visible_at, message)
        values (org, queue_name, message_id(now_ms, number), 0, now_ms, now_ms, body::text);
      end if;
    end $$`.execute(tx);
}

/**
 * Org by org, under the guard of that org's rows alone. It waits for nobody: a row that a process has in hand is left
 * to it. What was asked for long ago is asked for again only where its message is gone: while no process takes any,
 * none is added.
 * @returns how many were put in the queue
 */
async function queueDue({ tx }: Kit): Promise<void> {
  await sql`create function queue_due_syncs(zone text, at_ms bigint default null)
    returns integer language plpgsql volatile security definer set search_path = ${path} as $$
    declare
      now_ms bigint := coalesce(at_ms, floor(extract(epoch from clock_timestamp()) * 1000)::bigint);
      stale_ms bigint := now_ms - 900000;
      former text := coalesce(current_setting(${setting}, true), '');
      org text;
      due record;
      sent integer := 0;
    begin
      for org in select o.id from orgs o order by o.id loop
        perform set_config(${setting}, org, true);
        for due in
          select c.id, c.last_sync_at, s.every_ms, s.waiting_since
          from connected_sources c
          join sync_schedules s on s.org_id = c.org_id and s.connection_id = c.id
          where c.org_id = org and c.state in ('ACTIVE', 'DEGRADED', 'ERROR') and c.mcp_server_url is null
            and ((s.paused = 0 and s.next_at <= now_ms and s.waiting_since is null) or s.waiting_since <= stale_ms)
          order by s.next_at, c.id
          for update of s skip locked
        loop
          continue when due.waiting_since is not null and waits_in_queue(org, 'sync', due.id);
          update sync_schedules
          set waiting_since = now_ms, updated_at = now_ms, next_at = next_sync(due.id, due.every_ms, now_ms, zone)
          where org_id = org and connection_id = due.id;
          sent := sent + 1;
          perform send_message(org, 'sync', json_build_object('connectionId', due.id, 'cause',
            case when due.last_sync_at is null then 'connect' else 'schedule' end), now_ms, sent & 1048575);
        end loop;
      end loop;
      perform set_config(${setting}, former, true);
      -- pg_cron notes each run, and forgets none.
      if ${cronUsable} then
        delete from cron.job_run_details d using cron.job j
        where j.jobid = d.jobid and j.jobname = ${sql.lit(cronJob)} and j.username = current_user
          and d.start_time < clock_timestamp() - interval '7 days';
      end if;
      return sent;
    end $$`.execute(tx);
}
