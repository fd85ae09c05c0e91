// Questions to the person through the client (elicitation), on both eras of the protocol: older wires are asked
// and waited for; on 2026-07-28 the client is answered with the question, and calls again with what was said.
import { randomBytes } from 'node:crypto';
import {
  type ClientCapabilities,
  createRequestStateCodec,
  type ElicitRequestFormParams,
  type InputRequiredResult,
  inputRequired,
  inputResponse,
  type McpServer,
  type ServerContext,
} from '@modelcontextprotocol/server';

/** A person reads before answering; what is not answered by then stays as it is. */
const longestWaitMs = 5 * 60_000;

export type Question = { message: string } & (
  | { mode: 'form'; schema: ElicitRequestFormParams['requestedSchema'] }
  | { mode: 'url'; url: string }
);

/** `silent`: nothing came back, or nothing that can be read. */
export type Said =
  | { action: 'accept'; content: Record<string, unknown> }
  | { action: 'decline' | 'cancel' | 'silent' };

export interface Asks {
  /** What the client can put before a person. */
  form: boolean;
  url: boolean;
  /**
   * @param subject what the question is about, hash included: an answer to another one is none
   * @throws AskFirst where the client has to call again with the answer
   */
  ask(subject: string, question: Question): Promise<Said>;
  /** Whether this call brings the answer to that question. */
  answers(subject: string): Promise<boolean>;
}

/** Not a failure: the call is answered with the question. */
export class AskFirst extends Error {
  readonly result: InputRequiredResult;

  constructor(result: InputRequiredResult) {
    super('the person is asked first');
    this.result = result;
  }
}

export function capabilitiesOf(server: McpServer, { mcpReq }: ServerContext): ClientCapabilities | undefined {
  const enveloped = mcpReq.envelope as Record<string, unknown> | undefined;
  return (enveloped?.['io.modelcontextprotocol/clientCapabilities'] ??
    server.server.getClientCapabilities()) as ClientCapabilities | undefined;
}

// Of this process: an answer that another process asked for is asked for again, and decides nothing. Bound to the
// key, so that one agent cannot bring another's answer.
const states = createRequestStateCodec<{ subject: string }>({
  key: randomBytes(32),
  ttlSeconds: longestWaitMs / 1000,
  bind: ({ mcpReq, http }) => `${mcpReq.method}\0${http?.authInfo?.clientId ?? ''}`,
});

/** Undefined where the client can ask nobody anything. */
export function createAsks(
  server: McpServer,
  request: ServerContext,
  era: 'legacy' | 'modern',
): Asks | undefined {
  const elicitation = capabilitiesOf(server, request)?.elicitation;
  if (elicitation === undefined) return undefined;
  const url = elicitation.url !== undefined;
  // A client from before there were two ways says neither, and has forms.
  const form = elicitation.form !== undefined || !url;
  const { mcpReq } = request;

  async function answers(subject: string): Promise<boolean> {
    const state: unknown = era === 'modern' ? mcpReq.requestState() : undefined;
    if (typeof state !== 'string') return false;
    try {
      return (await states.verify(state, request)).subject === subject;
    } catch {
      return false; // forged, too old, or of another process: nobody was asked
    }
  }

  return {
    form,
    url,
    answers,
    async ask(subject, question) {
      const { message } = question;
      if (era === 'modern') {
        if (await answers(subject)) return saidIn(inputResponse(mcpReq.inputResponses, 'decision'));
        const decision =
          question.mode === 'form'
            ? inputRequired.elicit({ message, requestedSchema: question.schema, mode: 'form' })
            : inputRequired.elicitUrl({ message, url: question.url });
        const requestState = await states.mint({ subject }, request);
        throw new AskFirst(inputRequired({ inputRequests: { decision }, requestState }));
      }
      try {
        const answer = await mcpReq.elicitInput(
          question.mode === 'form'
            ? { mode: 'form', message, requestedSchema: question.schema }
            : {
                mode: 'url',
                message,
                url: question.url,
                elicitationId: randomBytes(16).toString('base64url'),
              },
          { timeout: longestWaitMs, signal: mcpReq.signal },
        );
        return saidOf(answer.action, answer.content);
      } catch {
        return { action: 'silent' }; // closed, too late, or an answer that fits no form
      }
    },
  };
}

function saidIn(answer: ReturnType<typeof inputResponse>): Said {
  return answer.kind === 'elicit' ? saidOf(answer.action, answer.content) : { action: 'silent' };
}

function saidOf(action: 'accept' | 'decline' | 'cancel', content: Record<string, unknown> | undefined): Said {
  return action === 'accept' ? { action, content: content ?? {} } : { action };
}
