// An answer that has been read to its end, as the door holds it: one can be handed to several who asked.

export interface Answer {
  /** As it was asked for: a true address, also where the sandbox answered. */
  url: string;
  status: number;
  statusText: string;
  headers: Headers;
  /** Null where the status has no body. Never changed, since others may hold it too. */
  body: Uint8Array<ArrayBuffer> | null;
}

// Fetch standard, null body status: https://fetch.spec.whatwg.org/#null-body-status
const bodiless = new Set([204, 205, 304]);

/** A copy for one who asked. */
export function toResponse({ url, status, statusText, headers, body }: Answer): Response {
  const response = new Response(bodiless.has(status) ? null : body, { status, statusText, headers });
  return Object.defineProperty(response, 'url', { value: url });
}
