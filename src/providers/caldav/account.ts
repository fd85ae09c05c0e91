// The account behind a URL: found where the server says that it is, or taken up again where it was found before.
import { createAccount } from 'tsdav';
import { codeOfStatus, DrawbridgeError } from '../../errors.ts';
import type { ProviderContext } from '../define.ts';
import { type Dav, type Fetch, openDav, slashed } from './dav.ts';
import { type CaldavFields, caldavFields } from './fields.ts';

/** Where the calendars are. */
export interface Reached {
  fields: CaldavFields;
  homeUrl: string;
  dav: Dav;
}

export interface Account extends Reached {
  principalUrl: string;
}

/**
 * Finds the account: .well-known/caldav, current-user-principal, calendar-home-set (RFC 6764, RFC 5397,
 * RFC 4791 6.2.1). @throws DrawbridgeError
 */
export async function openAccount(context: ProviderContext): Promise<Account> {
  const fields = caldavFields.parse(context.fields);
  const dav = openDav(context, fields);
  // The library tries one address after the other and keeps only its own last word; ours says more.
  let trouble: unknown;
  let silent = false;
  let status = 0;
  const fetch: Fetch = async (input, init) => {
    // Who does not answer at one address does not at the next either, and each would be waited for.
    if (silent) throw trouble;
    try {
      const response = await dav.fetch(input, init);
      status = response.status;
      return response;
    } catch (error) {
      trouble = error;
      silent = error instanceof DrawbridgeError && (error.code === 'timeout' || error.code === 'network');
      throw error;
    }
  };
  try {
    const { principalUrl, homeUrl } = await createAccount({
      account: { accountType: 'caldav', serverUrl: fields.url },
      headers: dav.headers,
      fetch,
    });
    if (principalUrl === undefined || homeUrl === undefined) throw new Error('nothing found');
    return { fields, principalUrl, homeUrl: slashed(homeUrl), dav };
  } catch (error) {
    if (trouble !== undefined) throw trouble;
    // 207 is an answer in the protocol: the account is not there. Any other success is none.
    const said = status === 207 ? 'not_found' : status < 300 ? 'malformed_response' : codeOfStatus(status);
    if (said !== 'not_found') {
      throw new DrawbridgeError(
        said,
        `${fields.url} does not answer as a CalDAV server: it said ${status} to the search for the account of ${fields.user}.`,
        { field: 'url', cause: error },
      );
    }
    throw new DrawbridgeError(
      'not_found',
      `url: there is no CalDAV account for ${fields.user} at ${fields.url}.`,
      {
        field: 'url',
        cause: error,
      },
    );
  }
}

/** An account whose home was found before: nobody is asked for it. @param homeUrl as `openAccount` gave it */
export function accountAt(context: ProviderContext, homeUrl: string): Reached {
  const fields = caldavFields.parse(context.fields);
  return { fields, homeUrl, dav: openDav(context, fields) };
}
