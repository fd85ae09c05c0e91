// What people hid from agents is not read live for them either.
import { DrawbridgeError } from '../../errors.ts';
import type { OrgStore } from '../../store/store.ts';
import type { Connection } from '../connections.ts';

/** @throws DrawbridgeError `permission_denied` where the account is hidden from whoever holds this handle */
export function assertShown({ viewer }: OrgStore, { id }: Pick<Connection, 'id'>): void {
  if (viewer?.hidden.connections.includes(id) !== true) return;
  throw new DrawbridgeError(
    'permission_denied',
    'A person has hidden what this account holds from agents. People change that: drawbridge sensitivity',
    { retry: 'ask' },
  );
}
