// Who calls. A person may decide on actions; an agent may read and propose, whatever key it holds.

export type Scope = 'read' | 'propose';

export interface Person {
  kind: 'person';
  orgId: string;
  memberId: string;
  name: string;
}

export interface Agent {
  kind: 'agent';
  orgId: string;
  /** The API key's id, or `stdio` for the local client. */
  agentId: string;
  /** What the client calls itself, or the key's name, and for whom it acts; untrusted text. */
  name: string;
  /** The member whom it acts for, where it is one in particular. */
  memberId?: string;
  scopes: readonly Scope[];
}

export type Principal = Person | Agent;
