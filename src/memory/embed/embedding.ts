// The embedders of all orgs, as the rest of the house sees them: who chose what, how far it is, questions in the
// space that answers now, and the work that follows a choice.
import type { Transaction } from 'kysely';
import type { Audit } from '../../audit/audit.ts';
import type { Person } from '../../auth/principal.ts';
import { makerOf } from '../../auth/record-change.ts';
import { embedderPlace } from '../../auth/reseal.ts';
import type { Vault } from '../../auth/vault.ts';
import type { Clock } from '../../clock.ts';
import { withDeadline } from '../../egress/deadline.ts';
import type { Egress } from '../../egress/egress.ts';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Secret } from '../../secret.ts';
import { toJson } from '../../store/codec.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OrgTables } from '../../store/tables.ts';
import type { Embedder } from './embedder.ts';
import {
  beginBuilding,
  changeRow,
  currentName,
  currentOf,
  type EmbedderRow,
  giveUpBuilding,
  readChosen,
  readFault,
  readRows,
  switchTo,
  writeChosen,
  writeFault,
} from './embedder-rows.ts';
import { type EmbedderStatus, faultWaitMs, readStatus } from './embedder-status.ts';
import { workOff } from './embedder-work.ts';
import { createOpenEmbedders } from './open-embedder.ts';
import type { QuestionVectors } from './question-vectors.ts';
import { builtIn, readSettings } from './settings.ts';
import { staticEnName } from './static-en.ts';

/** A question waits no longer for its vector. */
const questionMs = 1_000;
const questionsKept = 500;
/** A question that failed is not asked again so soon: one answer may search more than once. */
const failedMs = 5_000;
const orgsAtOnce = 2;
/** A model of others is asked for its version again after that time. */
const trustMs = 600_000;

type Tx = Transaction<OrgTables>;

export interface Embedding {
  /** The embedder that answers, one row read; undefined for the built-in one, which is asked where the search is. */
  answering(org: OrgStore): Promise<EmbedderRow | undefined>;
  /** Undefined: the built-in embedder answers. `by`: as it was read already. Never throws for an embedder. */
  question(
    org: OrgStore,
    text: string,
    by?: EmbedderRow,
    signal?: AbortSignal,
  ): Promise<QuestionVectors | undefined>;
  /** The one that answers first. */
  status(org: OrgStore): Promise<EmbedderStatus[]>;
  /**
   * Asks the model once, and begins to embed with it. `built-in` answers again at once; `environment`: what
   * DRAWBRIDGE_EMBEDDER says.
   * @throws DrawbridgeError what is wrong with it; `permission_denied` for who is no person
   */
  set(
    org: OrgStore,
    person: Person,
    given: {
      settings: unknown;
      key?: Secret | undefined;
      channel: string;
      /** Who calls does the work itself. */
      work?: boolean;
    },
  ): Promise<string>;
  /** What is being built is given up; else what answered before answers again. @throws DrawbridgeError `not_found` */
  undo(org: OrgStore, person: Person, channel: string): Promise<string>;
  /** Removes the vectors of all former embedders. @returns their names */
  purge(org: OrgStore, person: Person, channel: string): Promise<string[]>;
  /** Does in the background what is to be done; never throws. */
  settle(org: OrgStore): void;
  settled(): Promise<void>;
  /** The same, awaited. @returns false where another process is at it */
  work(org: OrgStore, options: { signal: AbortSignal; onStep?(): Promise<void> | void }): Promise<boolean>;
  close(): Promise<void>;
}

export interface EmbeddingParts {
  egress: Pick<Egress, 'fetchFor'>;
  vault: Pick<Vault, 'open' | 'seal' | 'unseal'>;
  audit: Pick<Audit, 'append'>;
  clock: Clock;
  log: Log;
  home: string;
  /** What the environment says; `settings` undefined: the built-in one. */
  environment: { settings: unknown; key: Secret | undefined };
}

export function createEmbedding(parts: EmbeddingParts): Embedding {
  const { vault, audit, clock, log } = parts;
  const fromEnvironment =
    parts.environment.settings === undefined ? undefined : readSettings(parts.environment.settings);
  const opener = createOpenEmbedders(parts);
  const opened = new Map<string, { embedder: Promise<Embedder>; at: number; key: string }>();
  const questions = new Map<string, Float32Array>();
  /** The last one that failed. */
  let failed: { place: string; at: number; unavailable: string } | undefined;
  const running = new Map<string, Promise<void>>();
  const waiting = new Map<string, OrgStore>();
  const stop = new AbortController();

  async function keyOf(org: OrgStore, row: EmbedderRow): Promise<Secret | undefined> {
    if (row.sealed !== undefined) {
      await vault.open(org);
      return vault.unseal(org.orgId, embedderPlace, row.name, row.sealed);
    }
    // The environment's key goes to the environment's server, whatever a row says.
    const same =
      fromEnvironment !== undefined &&
      row.settings !== undefined &&
      toJson(fromEnvironment) === toJson(row.settings);
    return same ? parts.environment.key : undefined;
  }

  async function embedderOf(org: OrgStore, row: EmbedderRow): Promise<Embedder> {
    const { settings, name, dimensions } = row;
    if (settings === undefined) {
      throw new DrawbridgeError(
        'invalid_request',
        `The settings of ${name} cannot be read: choose it again.`,
        {
          retry: 'ask',
        },
      );
    }
    const place = `${org.orgId} ${name}`;
    const sealed = row.sealed === undefined ? '' : Buffer.from(row.sealed.sealed).toString('base64');
    const known = opened.get(place);
    if (known !== undefined && known.key === sealed && clock.elapsed() - known.at < trustMs)
      return known.embedder;
    const embedder = keyOf(org, row).then((key) =>
      opener.reopen(org.orgId, settings, { name, dimensions, key }),
    );
    opened.set(place, { embedder, at: clock.elapsed(), key: sealed });
    // The next one tries again.
    embedder.catch(() => opened.delete(place));
    return embedder;
  }

  async function record(
    tx: Tx,
    org: OrgStore,
    entry: { at: number; kind: string; name: string; before: string; person?: Person; channel: string },
  ): Promise<void> {
    const { at, kind, name, before, person, channel } = entry;
    const by = person === undefined ? { kind: 'clock', id: 'embedding', name: 'Embedding' } : makerOf(person);
    await audit.append(tx, org.orgId, at, { kind, subject: name, by, channel, facts: { name, before } });
  }

  const workParts = {
    clock,
    log,
    embedderOf,
    async switched(tx: Tx, org: OrgStore, name: string, at: number): Promise<void> {
      const { before } = await readChosen(tx, org.orgId);
      await record(tx, org, {
        at,
        kind: 'embedder.switched',
        name,
        before: before ?? staticEnName,
        channel: 'clock',
      });
    },
  };

  /** Begins what the environment says, where no person said otherwise. */
  async function followEnvironment(org: OrgStore): Promise<void> {
    const { chosen, rows } = await org.read(async (db) => ({
      chosen: await readChosen(db, org.orgId),
      rows: await readRows(db, org.orgId),
    }));
    if (chosen.chosen !== null) return;
    const current = currentName(rows);
    if (fromEnvironment === undefined) {
      if (current !== staticEnName || rows.some((row) => row.state === 'building'))
        await choose(org, staticEnName, { chosen: null, before: current });
      return;
    }
    const wanted = toJson(fromEnvironment);
    const isWanted = (row: EmbedderRow) => row.settings !== undefined && toJson(row.settings) === wanted;
    if (rows.some((row) => (row.state === 'building' || row.state === 'current') && isWanted(row))) return;
    const fault = await org.read((db) => readFault(db, org.orgId));
    const now = await org.now();
    if (fault !== undefined && now < fault.at + faultWaitMs) return;
    try {
      const embedder = await opener.open(org.orgId, fromEnvironment, parts.environment.key);
      const { dimensions } = embedder;
      await choose(
        org,
        embedder.name,
        { chosen: null, before: current },
        { settings: fromEnvironment, dimensions, sealed: undefined },
      );
      if (fault !== undefined) await org.write((tx) => writeFault(tx, org.orgId, undefined, now));
    } catch (thrown) {
      if (stop.signal.aborted) throw thrown;
      log.warn({ err: thrown, org: org.orgId }, 'the embedder of the environment could not be asked');
      await org.write((tx) => writeFault(tx, org.orgId, toDrawbridgeError(thrown), now));
    }
  }

  /** One transaction: what was being built goes, `name` is built or answers again. */
  async function choose(
    org: OrgStore,
    name: string,
    chosen: { chosen: string | null; before: string | null },
    begin?: Omit<Parameters<typeof beginBuilding>[2], 'name'>,
    said?: { person: Person; channel: string; kind: string },
  ): Promise<void> {
    const { orgId } = org;
    const at = await org.now();
    await org.write(async (tx) => {
      const rows = await readRows(tx, orgId);
      const row = rows.find((one) => one.name === name);
      if (row?.state === 'purging') {
        throw new DrawbridgeError(
          'conflict',
          `The vectors of ${name} are being removed. Try again in a moment.`,
          { retry: 'later' },
        );
      }
      if (begin === undefined || row?.state === 'current') {
        await giveUpBuilding(tx, orgId, undefined, at);
        await switchTo(tx, orgId, name, at);
        if (row !== undefined && begin?.sealed !== undefined) {
          const { sealed, keyId } = begin.sealed;
          const change = { sealed, key_id: keyId, error: null, retry_at: 0, tries: 0 };
          await changeRow(tx, orgId, name, change, at);
        }
      } else await beginBuilding(tx, orgId, { name, ...begin }, at);
      await writeChosen(tx, orgId, chosen, at);
      await record(tx, org, {
        at,
        kind: said?.kind ?? 'embedder.chosen',
        name,
        before: currentName(rows),
        channel: said?.channel ?? 'clock',
        ...(said === undefined ? {} : { person: said.person }),
      });
    });
    opened.delete(`${orgId} ${name}`);
  }

  async function work(
    org: OrgStore,
    options: { signal: AbortSignal; onStep?(): Promise<void> | void },
  ): Promise<boolean> {
    await followEnvironment(org);
    const signal = AbortSignal.any([options.signal, stop.signal]);
    return workOff(org, workParts, { signal, onStep: options.onStep });
  }

  async function isAnythingToDo(org: OrgStore): Promise<boolean> {
    if (fromEnvironment !== undefined) return true;
    const rows = await org.read((db) => readRows(db, org.orgId));
    return rows.length > 0;
  }

  async function run(org: OrgStore): Promise<void> {
    try {
      if (await isAnythingToDo(org)) await work(org, { signal: stop.signal });
    } catch (thrown) {
      // What was written stays, and the next turn goes on from there.
      if (!stop.signal.aborted) log.warn({ err: thrown, org: org.orgId }, 'embedding was interrupted');
    } finally {
      running.delete(org.orgId);
      const next = waiting.values().next().value;
      if (next !== undefined) {
        waiting.delete(next.orgId);
        begin(next);
      }
    }
  }

  function begin(org: OrgStore): void {
    if (stop.signal.aborted) return;
    if (running.has(org.orgId) || running.size >= orgsAtOnce) waiting.set(org.orgId, org);
    else running.set(org.orgId, run(org));
  }

  function mustBePerson(org: OrgStore, person: Person): void {
    // The type says so already; this holds when the type was talked out of it.
    if (person.kind === 'person' && person.orgId === org.orgId) return;
    throw new DrawbridgeError('permission_denied', 'Only a person of this org chooses its embedder.');
  }

  function keep(place: string, vector: Float32Array): void {
    questions.set(place, vector);
    for (const oldest of questions.keys()) {
      if (questions.size <= questionsKept) break;
      questions.delete(oldest);
    }
  }

  const answering = async (org: OrgStore) => currentOf(await org.read((db) => readRows(db, org.orgId)));

  return {
    answering,
    async question(org, text, by, signal) {
      const row = by ?? (await answering(org));
      if (row === undefined) return undefined;
      const { name, dimensions } = row;
      const place = `${org.orgId} ${name} ${text}`;
      const known = questions.get(place);
      if (known !== undefined) return { name, dimensions, vector: known };
      if (failed?.place === place && clock.elapsed() - failed.at < failedMs)
        return { unavailable: failed.unavailable };
      try {
        const vector = await withDeadline(
          {
            clock,
            timeoutMs: questionMs,
            signal,
            expired: () =>
              new DrawbridgeError('timeout', `${name} did not answer within ${questionMs / 1000} s.`),
          },
          async (limited) => (await embedderOf(org, row)).embed([text], 'question', limited),
        );
        keep(place, vector);
        return { name, dimensions, vector };
      } catch (thrown) {
        signal?.throwIfAborted();
        const error = toDrawbridgeError(thrown);
        log.info({ err: thrown, org: org.orgId, embedder: name }, 'a question was not embedded');
        // No word of the server's: this stands in answers that agents read.
        const why = error.code === 'timeout' ? `did not answer within ${questionMs / 1000} s` : 'failed';
        const unavailable = `Found by words alone: the embedder ${name} ${why} (${error.code}; drawbridge embedder status).`;
        failed = { place, at: clock.elapsed(), unavailable };
        return { unavailable };
      }
    },

    status: (org) => readStatus(org, fromEnvironment),

    async set(org, person, { settings: given, key, channel, work: own = false }) {
      mustBePerson(org, person);
      const before = currentName(await org.read((db) => readRows(db, org.orgId)));
      const said = { person, channel, kind: 'embedder.chosen' };
      if (given === 'environment') {
        const at = await org.now();
        await org.write(async (tx) => {
          await writeChosen(tx, org.orgId, { chosen: null, before }, at);
          await record(tx, org, { at, name: 'environment', before, ...said });
        });
        await followEnvironment(org);
        if (!own) begin(org);
        return fromEnvironment === undefined ? staticEnName : 'environment';
      }
      if (given === builtIn) {
        await choose(org, staticEnName, { chosen: staticEnName, before }, undefined, said);
        if (!own) begin(org);
        return staticEnName;
      }
      const settings = readSettings(given);
      const { name, dimensions } = await opener.open(org.orgId, settings, key);
      let sealed: EmbedderRow['sealed'];
      if (key !== undefined) {
        await vault.open(org);
        sealed = vault.seal(org.orgId, embedderPlace, name, key);
      }
      await choose(org, name, { chosen: name, before }, { settings, dimensions, sealed }, said);
      if (!own) begin(org);
      return name;
    },

    async undo(org, person, channel) {
      mustBePerson(org, person);
      const { rows, chosen } = await org.read(async (db) => ({
        rows: await readRows(db, org.orgId),
        chosen: await readChosen(db, org.orgId),
      }));
      const current = currentName(rows);
      const isBuilding = rows.some((row) => row.state === 'building');
      const target = isBuilding ? current : chosen.before;
      const there =
        target === staticEnName ||
        rows.some((row) => row.name === target && (row.state === 'former' || row.state === 'current'));
      if (target === null || !there || (target === current && !isBuilding)) {
        throw new DrawbridgeError(
          'not_found',
          target === null || target === current
            ? 'There is no change of embedder to undo.'
            : `The vectors of ${target} were removed. Choose it again: drawbridge embedder set`,
        );
      }
      const said = { person, channel, kind: 'embedder.undone' };
      await choose(org, target, { chosen: target, before: isBuilding ? null : current }, undefined, said);
      begin(org);
      return target;
    },

    async purge(org, person, channel) {
      mustBePerson(org, person);
      const at = await org.now();
      const names = await org.write(async (tx) => {
        const former = (await readRows(tx, org.orgId)).filter((row) => row.state === 'former');
        for (const { name } of former) {
          await changeRow(tx, org.orgId, name, { state: 'purging' }, at);
          await record(tx, org, { at, kind: 'embedder.purged', name, before: name, person, channel });
        }
        return former.map(({ name }) => name);
      });
      begin(org);
      return names;
    },

    settle: begin,
    async settled() {
      while (running.size > 0) await Promise.all(running.values());
    },
    work,
    async close() {
      stop.abort();
      waiting.clear();
      await Promise.all(running.values());
      await opener.close();
    },
  };
}
