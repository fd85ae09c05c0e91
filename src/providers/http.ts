// How a provider is spoken to over HTTP, as declarations: where, with which headers, how it pages, how it
// says no. The speaking is in request.ts and pages.ts.
import type { ErrorCode, Retry } from '../errors.ts';

export interface Http {
  /** Origin and path prefix of its API, with `{placeholders}` of fields: `https://{shop}.example.com/api`. */
  baseUrl: string;
  /** Other hosts that get the credential (`upload.example.com`); exact names. */
  hosts?: readonly string[];
  /** On every declared request: versions, formats; with `{placeholders}` of fields. */
  headers?: Readonly<Record<string, string>>;
  paging?: Paging;
  /** Whether an answer that is no 401 says that the bearer ended: it is renewed, and the call made again. */
  bearerEnded?(body: unknown): boolean;
  /** What a refusal means, where the status alone does not tell it, also one with status 200; undefined: the status decides. */
  refusal?(answer: Answer): Refusal | undefined;
}

export interface Answer {
  status: number;
  headers: Headers;
  /** Parsed JSON, or the text where it is none. */
  body: unknown;
}

export interface Refusal {
  code: ErrorCode;
  /** In the provider's words, at most a sentence; shown as untrusted text. */
  message?: string;
  /** In our words, instead of the standard sentence: what happened, and what a person can do. */
  advice?: string;
  /** Where it differs from what the code stands for. */
  retry?: Retry;
  retryAfterMs?: number;
}

/** Where the next page is; `body` is the answer as it came. Read by pages.ts. */
export type Paging =
  | { kind: 'cursor'; parameter: string; in?: 'query' | 'body'; next(body: unknown): string | undefined }
  | { kind: 'page'; parameter: string; first: 0 | 1; more(body: unknown): boolean }
  | {
      kind: 'offset';
      parameter: string;
      size: { parameter: string; value: number };
      /** Records of this page. */
      count(body: unknown): number;
      /** Of all pages, where it tells; else a page shorter than `size` is the last. */
      total?(body: unknown): number | undefined;
    }
  /** RFC 8288, `Link: <…>; rel="next"`. */
  | { kind: 'link' }
  /** `@odata.nextLink` */
  | { kind: 'odata' }
  | {
      kind: 'graphql';
      variable: string;
      pageInfo(body: unknown): { endCursor: string | null; hasNextPage: boolean };
    };
