// The axios that CommonJS packages require (intuit-oauth), led through the door: its only adapter is ours.
// axios copies its defaults into each instance, so this is done before any client is built.

import type { AxiosResponse, InternalAxiosRequestConfig } from 'axios';
import axios from 'axios/dist/node/axios.cjs';
import { currentDoor, unguarded } from './inside.ts';

export function guardAxios(): void {
  axios.defaults.adapter = adapter;
}

/** One request of axios through the door of the work it is in. https://axios-http.com/docs/req_config */
async function adapter(config: InternalAxiosRequestConfig): Promise<AxiosResponse> {
  // With base URL and parameters.
  const url = URL.parse(axios.getUri(config));
  const door = currentDoor();
  if (door === undefined || url === null) throw unguarded(url?.hostname ?? '');
  const headers = new Headers();
  for (const [name, value] of Object.entries(config.headers.toJSON())) {
    if (value !== undefined && value !== null) headers.set(name, String(value));
  }
  if (config.auth !== undefined) {
    const { username, password } = config.auth;
    headers.set('authorization', `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`);
  }
  const answer = await door.fetch(url, {
    method: (config.method ?? 'get').toUpperCase(),
    headers,
    ...(config.data === undefined || config.data === null
      ? {}
      : { body: config.data as NonNullable<RequestInit['body']> }),
    ...(config.signal === undefined ? {} : { signal: config.signal as AbortSignal }),
    ...(config.timeout !== undefined && config.timeout > 0 ? { timeoutMs: config.timeout } : {}),
    redirect: config.maxRedirects === 0 ? 'manual' : 'follow',
  });
  const response: AxiosResponse = {
    data:
      config.responseType === 'arraybuffer' ? Buffer.from(await answer.arrayBuffer()) : await answer.text(),
    status: answer.status,
    statusText: answer.statusText,
    headers: axios.AxiosHeaders.from(Object.fromEntries(answer.headers)),
    config,
    request: {},
  };
  if (config.validateStatus?.(answer.status) ?? true) return response;
  throw new axios.AxiosError(
    `Request failed with status code ${answer.status}`,
    answer.status >= 500 ? axios.AxiosError.ERR_BAD_RESPONSE : axios.AxiosError.ERR_BAD_REQUEST,
    config,
    response.request,
    response,
  );
}
