// Who looks at what an org holds, where that is not everything. It travels with the org's handle, so that no way to
// read can forget it: a handle without a viewer is the house itself (sync, executor).

/** What people have hidden from agents. Kinds, ids of connections, and labels in lower case. */
export interface Hidden {
  kinds: readonly string[];
  connections: readonly string[];
  labels: readonly string[];
}

export interface Viewer {
  /**
   * Names by which documents' readers are noted (`ann@example.com`, `domain:example.com`), lower case. Undefined:
   * readers are not asked for, as there is nobody else in the org.
   */
  readerNames: readonly string[] | undefined;
  hidden: Hidden;
}

export const nothingHidden: Hidden = { kinds: [], connections: [], labels: [] };

/** Whether this viewer sees whatever the org holds. */
export function seesAll(viewer: Viewer | undefined): boolean {
  if (viewer === undefined) return true;
  const { kinds, connections, labels } = viewer.hidden;
  return viewer.readerNames === undefined && kinds.length + connections.length + labels.length === 0;
}
