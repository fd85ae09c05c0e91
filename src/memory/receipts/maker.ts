// Who took an answer or made an output, as their rows keep it.
import type { Principal } from '../../auth/principal.ts';
import { fromJson, toJson } from '../../store/codec.ts';

export function makerOf(by: Principal): string {
  return toJson({ kind: by.kind, id: by.kind === 'person' ? by.memberId : by.agentId, name: by.name });
}

export function nameOf(by: string): string {
  return fromJson<{ name: string }>(by).name;
}
