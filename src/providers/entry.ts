// What is known of a provider without loading it: enough to list it, to choose it, and to say how it is
// connected. The generated catalog is made of these.
import type { Capability } from './capabilities.ts';
import type { Provider } from './define.ts';
import type { DocumentKind } from './record.ts';

export interface CatalogEntry {
  id: string;
  title: string;
  capabilities: readonly Capability[];
  /** Kinds of records that its feeds bring; empty where there is nothing to sync. */
  feedKinds: readonly DocumentKind[];
  /** What its feeds say of how old a record may be, ms, by kind. */
  freshMs?: Readonly<Partial<Record<DocumentKind, number>>>;
  /** False for the pseudo-provider of imported files: it has no account. */
  connectable: boolean;
  /** Of its OAuth app (`google`): undefined where no app has to be registered. */
  app: string | undefined;
  /** What a person can paste in place of signing in by that app: the secret's title. */
  pasted?: string;
  /** The command that connects an account, with an invented one in its place. */
  command: string;
  load(): Promise<Provider>;
}
