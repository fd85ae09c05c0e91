// The rerankers of all orgs, as the rest of the house sees them: who chose what, and scores for the first passages of an
// answer. Without a choice nothing is loaded, and nothing is asked.
import type { Audit } from '../../audit/audit.ts';
import type { Person } from '../../auth/principal.ts';
import { makerOf } from '../../auth/record-change.ts';
import { rerankerSetting, sealedIn, sealedText } from '../../auth/sealed-setting.ts';
import type { Sealed, Vault } from '../../auth/vault.ts';
import { canonicalJson } from '../../canonical-json.ts';
import type { Clock } from '../../clock.ts';
import { requireDataKey } from '../../connections/credentials.ts';
import type { Egress } from '../../egress/egress.ts';
import { DrawbridgeError, toDrawbridgeError } from '../../errors.ts';
import type { Log } from '../../log.ts';
import type { Secret } from '../../secret.ts';
import { readSetting, writeSetting } from '../../store/settings.ts';
import type { OrgStore } from '../../store/store.ts';
import type { OpenRerankers } from './open-reranker.ts';
import { off, type Reranker } from './reranker.ts';
import type { RerankerSettings } from './settings.ts';

/** What an org chose is read again after that time: another process may have changed it. */
const trustMs = 5_000;
/** Questions whose scores are kept, for pages that follow and for asking again. */
const questionsKept = 200;
/** A question that failed is not asked again so soon: one answer may search more than once. */
const failedMs = 5_000;
/** A model that is asked for the first time may have to be loaded. */
const probeMs = 60_000;

export interface ChosenReranker {
  name: string;
  settings: RerankerSettings;
  /** Where passages go; undefined: they stay on this machine, in this process. */
  host: string | undefined;
  /** A person of the org, or the environment for all who chose nothing. */
  by: 'org' | 'environment';
  /** Of its server, where the org gave one of its own. */
  sealed: Sealed | undefined;
}

/** A passage by the number of its chunk, which never changes under its number. */
export interface Candidate {
  seq: number;
  text: string;
}

export type Scores =
  | { scores: ReadonlyMap<number, number> }
  /** For people and agents: why the passages stand as they were ranked. */
  | { unreranked: string };

export interface Reranking {
  /** Undefined: none, passages stand as they are ranked. */
  chosen(org: OrgStore): Promise<ChosenReranker | undefined>;
  /** Asked once for the same question and passages. Never throws for a reranker. */
  scores(
    org: OrgStore,
    chosen: ChosenReranker,
    question: string,
    passages: readonly Candidate[],
  ): Promise<Scores>;
  /** Asks it once, with no text of the org. @returns ms that it took. @throws DrawbridgeError what is wrong */
  probe(org: OrgStore, chosen: ChosenReranker): Promise<number>;
  /**
   * Asked once, and chosen only when it answers. `off`: none; `environment`: what DRAWBRIDGE_RERANKER says.
   * @throws DrawbridgeError what is wrong with it; `permission_denied` for who is no person
   */
  set(
    org: OrgStore,
    person: Person,
    given: { settings: unknown; key?: Secret | undefined; channel: string },
  ): Promise<void>;
  close(): Promise<void>;
}

export interface RerankingParts {
  egress: Pick<Egress, 'fetchFor'>;
  vault: Pick<Vault, 'open' | 'seal' | 'unseal'>;
  audit: Pick<Audit, 'append'>;
  clock: Clock;
  log: Log;
  home: string;
  /** What the environment says; `settings` undefined: none. */
  environment: { settings: unknown; key: Secret | undefined };
}

/** Only once somebody chose one. */
const loadSettings = () => import('./settings.ts');

const variableOf = (field: string): string =>
  field === 'kind'
    ? 'DRAWBRIDGE_RERANKER'
    : `DRAWBRIDGE_RERANKER_${field.replace(/[A-Z]/gu, (letter) => `_${letter}`).toUpperCase()}`;

/** @throws DrawbridgeError `invalid_request` naming the variable that cannot be used */
export async function openReranking(parts: RerankingParts): Promise<Reranking> {
  const { vault, audit, clock, log } = parts;
  const given = parts.environment.settings;
  const environment: ChosenReranker | undefined =
    given === undefined
      ? undefined
      : await loadSettings().then(({ readSettings, ...of }) =>
          chosenOf(of, readSettings(given, variableOf), 'environment'),
        );
  let opener: OpenRerankers | undefined;
  const known = new Map<string, { at: number; chosen: ChosenReranker | undefined }>();
  const opened = new Map<string, Promise<Reranker>>();
  /** By org, reranker, question and passages, the oldest first; `at`: when it failed. */
  const answers = new Map<string, { at: number; scores: Promise<Scores> }>();
  /** Those that did not answer last time: it is logged once. */
  const silent = new Set<string>();

  async function reranker(org: OrgStore, chosen: ChosenReranker, key?: Secret): Promise<Reranker> {
    opener ??= (await import('./open-reranker.ts')).createOpenRerankers(parts);
    return opener.open(org.orgId, chosen.settings, key);
  }

  async function keyOf(org: OrgStore, { sealed, by }: ChosenReranker): Promise<Secret | undefined> {
    if (sealed !== undefined) {
      await vault.open(org);
      return vault.unseal(org.orgId, rerankerSetting, 'key', sealed);
    }
    // The environment's key goes to the environment's server.
    return by === 'environment' ? parts.environment.key : undefined;
  }

  const placeOf = (org: OrgStore, { settings, sealed }: ChosenReranker): string =>
    `${org.orgId}\n${canonicalJson(settings)}\n${sealed === undefined ? '' : Buffer.from(sealed.sealed).toString('base64')}`;

  function open(org: OrgStore, chosen: ChosenReranker): Promise<Reranker> {
    const place = placeOf(org, chosen);
    const there = opened.get(place);
    if (there !== undefined) return there;
    const opening = keyOf(org, chosen).then((key) => reranker(org, chosen, key));
    opened.set(place, opening);
    // The next one tries again.
    opening.catch(() => opened.delete(place));
    return opening;
  }

  async function ask(
    org: OrgStore,
    chosen: ChosenReranker,
    question: string,
    passages: readonly Candidate[],
  ): Promise<Scores> {
    const place = placeOf(org, chosen);
    const { name, settings } = chosen;
    const { timeoutMs } = settings;
    try {
      const texts = passages.map(({ text }) => text);
      const scores = await (await open(org, chosen)).score(question, texts, { timeoutMs });
      silent.delete(place);
      return { scores: new Map(passages.map(({ seq }, i) => [seq, scores[i] ?? 0])) };
    } catch (thrown) {
      const { code } = toDrawbridgeError(thrown);
      if (!silent.has(place)) {
        silent.add(place);
        log.warn(
          { err: thrown, org: org.orgId, reranker: name },
          'a reranker failed; said once until it answers',
        );
      }
      // No word of the server's: this stands in answers that agents read.
      const why = code === 'timeout' ? `did not answer within ${timeoutMs / 1000} s` : 'failed';
      return {
        unreranked: `In the order of memory alone: the reranker ${name} ${why} (${code}; drawbridge reranker status).`,
      };
    }
  }

  async function readChosen(org: OrgStore): Promise<ChosenReranker | undefined> {
    const stored = await readSetting(org, rerankerSetting);
    if (stored === undefined) return environment;
    const { settings } = (typeof stored === 'object' && stored !== null ? stored : {}) as {
      settings?: unknown;
    };
    if (settings === off) return undefined;
    const { rerankerSettings, ...of } = await loadSettings();
    const parsed = rerankerSettings.safeParse(settings);
    if (parsed.success) return chosenOf(of, parsed.data, 'org', sealedIn(stored));
    log.warn({ org: org.orgId }, 'the setting of the reranker cannot be read: there is none until it is set');
    return undefined;
  }

  async function probe(org: OrgStore, chosen: ChosenReranker, own?: Secret): Promise<number> {
    const asked = own === undefined ? await open(org, chosen) : await reranker(org, chosen, own);
    const began = clock.elapsed();
    // As long as passages may be: a server that reads less says so now.
    const long = 'A house with a garden, near the lake. '.repeat(Math.ceil(chosen.settings.tokens / 8));
    await asked.score('Which house has a garden?', [long, 'An invoice.'], { timeoutMs: probeMs });
    return clock.elapsed() - began;
  }

  return {
    async chosen(org) {
      const kept = known.get(org.orgId);
      if (kept !== undefined && clock.elapsed() - kept.at < trustMs) return kept.chosen;
      const chosen = await readChosen(org);
      known.set(org.orgId, { at: clock.elapsed(), chosen });
      return chosen;
    },

    scores(org, chosen, question, passages) {
      const seqs = passages.map(({ seq }) => seq).sort((a, b) => a - b);
      const place = `${placeOf(org, chosen)}\n${seqs.join()}\n${question}`;
      const kept = answers.get(place);
      if (kept !== undefined && kept.at + failedMs > clock.elapsed()) return kept.scores;
      const scores = ask(org, chosen, question, passages);
      const entry = { at: Number.POSITIVE_INFINITY, scores };
      answers.set(place, entry);
      void scores.then((found) => {
        if ('unreranked' in found) entry.at = clock.elapsed();
      });
      for (const oldest of answers.keys()) {
        if (answers.size <= questionsKept) break;
        answers.delete(oldest);
      }
      return scores;
    },

    probe,

    async set(org, person, { settings: given, key, channel }) {
      // The type says so already; this holds when the type was talked out of it.
      if (person.kind !== 'person' || person.orgId !== org.orgId)
        throw new DrawbridgeError('permission_denied', 'Only a person of this org chooses its reranker.');
      const before = await readChosen(org);
      const word = given === off || given === 'environment' ? given : undefined;
      let sealed: Sealed | undefined;
      let value: unknown = word === off ? { settings: off } : undefined;
      let name: string = word ?? '';
      if (word === undefined) {
        const { readSettings, ...of } = await loadSettings();
        const chosen = chosenOf(of, readSettings(given), 'org');
        name = chosen.name;
        await probe(org, chosen, key);
        if (key !== undefined) {
          await vault.open(org);
          sealed = vault.seal(org.orgId, rerankerSetting, 'key', key);
        }
        value = {
          settings: chosen.settings,
          ...(sealed === undefined ? {} : { key: sealedText(sealed) }),
        };
      }
      const at = await org.now();
      await org.write(async (tx) => {
        if (sealed !== undefined) await requireDataKey(tx, org.orgId, sealed.keyId);
        await writeSetting(tx, org.orgId, { name: rerankerSetting, value, at });
        await audit.append(tx, org.orgId, at, {
          kind: 'reranker.chosen',
          subject: name,
          by: makerOf(person),
          channel,
          facts: { name, before: before?.name ?? off },
        });
      });
      known.delete(org.orgId);
    },

    async close() {
      await opener?.close();
    },
  };
}

function chosenOf(
  { nameOf, hostOf }: Pick<typeof import('./settings.ts'), 'nameOf' | 'hostOf'>,
  settings: RerankerSettings,
  by: ChosenReranker['by'],
  sealed?: Sealed,
): ChosenReranker {
  return { name: nameOf(settings), settings, host: hostOf(settings), by, sealed };
}
