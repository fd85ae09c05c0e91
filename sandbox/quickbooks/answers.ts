// The shapes of QuickBooks's answers, good and bad.
import type { Answer } from '../http.ts';

/** A fault that a handler throws, and the server answers with. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super('refused');
    this.answer = answer;
  }
}

export function json(status: number, body: unknown): Answer {
  return {
    status,
    headers: { 'content-type': 'application/json;charset=UTF-8', intuit_tid: '1-67a3c1f0-sandbox' },
    body: JSON.stringify(body),
  };
}

/** @param now integer ms */
export function fault(
  status: number,
  now: number,
  error: { code: string; message: string; detail?: string; type?: string },
): Answer {
  const { code, message, detail = message, type = 'ValidationFault' } = error;
  return json(status, {
    Fault: { Error: [{ Message: message, Detail: detail, code, element: '' }], type },
    time: pacific(now),
  });
}

export function unauthenticated(now: number): Answer {
  const message = 'message=AuthenticationFailed; errorCode=003200; statusCode=401';
  return fault(401, now, {
    code: '3200',
    message,
    detail: 'Token expired or invalid',
    type: 'AUTHENTICATION',
  });
}

export function throttled(now: number): Answer {
  return fault(429, now, {
    code: '003001',
    message: 'message=ThrottleExceeded; errorCode=003001; statusCode=429',
    detail: 'The request limit was reached.',
    type: 'ThrottlingFault',
  });
}

/** `2026-03-02T01:12:00-08:00`: Intuit tells whole seconds in its own zone. */
export function pacific(ms: number): string {
  return `${new Date(ms - 8 * 3_600_000).toISOString().slice(0, 19)}-08:00`;
}
