// What Google Drive holds of one account: files with their content, and a log of changes.
import { attachment } from '../data/attachments.ts';
import type { World } from '../world.ts';
import { addressOf } from '../zillow-answers.ts';

export interface DriveEntry {
  id: string;
  name: string;
  mimeType: string;
  /** Of a kind of Google's own, what it is exported to, by media type. */
  exports?: Record<string, string>;
  bytes?: Buffer;
  description?: string;
  parents: string[];
  trashed: boolean;
  modifiedTime: string;
  appProperties?: Record<string, string>;
  /** Who may see it; left out: its owner alone. Null: whoever asks is not told. */
  permissions?: readonly { type: string; emailAddress?: string; domain?: string }[] | null;
  /** Its owner forbids to copy, print or export it. */
  locked?: boolean;
}

export const documentType = 'application/vnd.google-apps.document';
export const tableType = 'application/vnd.google-apps.spreadsheet';
const folderType = 'application/vnd.google-apps.folder';

export class DriveStore {
  readonly owner: { displayName: string; emailAddress: string };
  readonly #files = new Map<string, DriveEntry>();
  /** Ids in order of change. */
  readonly #log: string[] = [];
  #oldest = 0;
  #ids = 0;

  constructor(owner: { displayName: string; emailAddress: string }) {
    this.owner = owner;
  }

  get version(): number {
    return this.#log.length;
  }

  nextId(): string {
    this.#ids += 1;
    return `1Sandbox${this.#ids.toString(36).padStart(6, '0')}-file_Id`;
  }

  /** Newest first. */
  files(): DriveEntry[] {
    return [...this.#files.values()].sort(
      (a, b) => b.modifiedTime.localeCompare(a.modifiedTime) || a.id.localeCompare(b.id),
    );
  }

  get(id: string): DriveEntry | undefined {
    return this.#files.get(id);
  }

  put(given: Partial<DriveEntry> & Pick<DriveEntry, 'name' | 'mimeType'>): DriveEntry {
    const entry: DriveEntry = {
      id: given.id ?? this.nextId(),
      parents: ['root'],
      trashed: false,
      modifiedTime: '2026-01-05T12:00:00.000Z',
      ...given,
    };
    this.#files.set(entry.id, entry);
    this.#log.push(entry.id);
    return entry;
  }

  /** Gone for good, or no longer shared. */
  remove(id: string): void {
    if (this.#files.delete(id)) this.#log.push(id);
  }

  /** Entries of the log from `start`; undefined for a point that is unknown or forgotten. */
  changesFrom(start: number): string[] | undefined {
    return start >= this.#oldest && start <= this.version ? this.#log.slice(start) : undefined;
  }

  forgetChanges(): void {
    this.#log.push('');
    this.#oldest = this.version;
  }
}

/** The papers that the story's mails carry, a sheet of each listing, and the price list. */
export function filesOf({ mail, user, listings, dates }: World): DriveStore {
  const store = new DriveStore({ displayName: user.name, emailAddress: user.email });
  const names = new Map<string, number>();
  for (const { raw, at } of mail) {
    for (const [, name = ''] of raw.toString('latin1').matchAll(/filename="([^"]+\.(?:pdf|csv))"/g))
      names.set(name, at);
  }
  const papers = names.size === 0 ? undefined : store.put({ name: 'Papers', mimeType: folderType });
  for (const [name, at] of names) {
    const { mediaType, bytes } = attachment(name, dates, 100);
    const modifiedTime = new Date(at).toISOString();
    store.put({ name, mimeType: mediaType, bytes, parents: [papers?.id ?? 'root'], modifiedTime });
  }
  for (const listing of listings) {
    const text = [
      `# ${addressOf(listing)}`,
      '',
      `- Price: ${listing.price} USD (${listing.status})`,
      `- ${listing.beds} bedrooms, ${listing.baths} bathrooms, ${listing.sqft} square feet, built ${listing.yearBuilt}`,
      `- Agent: ${listing.agent.name}, ${listing.agent.office}`,
      '',
      listing.description,
    ].join('\n');
    const modifiedTime = new Date(listing.priceHistory[0]?.at ?? 0).toISOString();
    store.put({
      name: `Listing sheet, ${listing.street}`,
      mimeType: documentType,
      exports: {
        'text/markdown': text,
        'text/plain': text.replace(/^[#-] /gm, ''),
        'application/pdf': '%PDF-1.4',
      },
      modifiedTime,
    });
  }
  if (listings.length > 0) {
    const rows = listings.map((one) => `${one.mls},"${addressOf(one)}",${one.price},${one.status}`);
    store.put({
      name: 'Price list',
      mimeType: tableType,
      exports: { 'text/csv': ['mls,address,price,status', ...rows].join('\r\n') },
    });
  }
  return store;
}
