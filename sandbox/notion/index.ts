// Notion in the sandbox: its sign-in, its API of one version, and a workspace that keeps what is written.
import type { Clock } from '../../src/clock.ts';
import type { AuthorizationServer } from '../authorization.ts';
import { createAuthorizationServer } from '../authorization-server.ts';
import type { Answer } from '../http.ts';
import type { Call, Emulator } from '../providers.ts';
import { invalid, json, listed, notFound, Refused } from './answers.ts';
import { rowsOf } from './query.ts';
import { shownBlock, shownDatabase, shownPage, shownSource } from './shown.ts';
import { botId, NotionStore, type Parent } from './store.ts';
import { blocksFrom, valuesFrom } from './written.ts';

export const notionApp = { clientId: 'sandbox-notion', clientSecret: 'sandbox-only-notion-secret' };
/** Of an internal integration, which nobody signs in to. */
export const internalSecret = 'ntn_sandbox-only-internal-secret';

const workspaceId = 'b3e1f0c2-7d0e-4b39-8a44-0c1f6f2d9b77';

export interface NotionSandbox extends Emulator {
  auth: AuthorizationServer;
  store: NotionStore;
  /** Pages that a search does not find, though they are there. */
  unindexed: Set<string>;
  /** From now on a search ends before its end, and says so. */
  gaveUp: boolean;
}

type Body = Record<string, unknown>;

/** @param options.refreshes whether its integration gets refresh tokens; default: it does */
export function createNotion({
  clock,
  refreshes = true,
}: {
  clock: Clock;
  refreshes?: boolean;
}): NotionSandbox {
  const auth = createAuthorizationServer(
    {
      authorizePath: '/v1/oauth/authorize',
      tokenPath: '/v1/oauth/token',
      revokePath: '/v1/oauth/revoke',
      app: notionApp,
      pkce: 'optional',
      clientAuthentication: 'basic',
      accessLivesS: 100 * 86_400,
      rotation: 'always',
      answerExtras: {
        // Notion names neither life nor scopes.
        token_type: 'bearer',
        expires_in: undefined,
        scope: undefined,
        ...(refreshes ? {} : { refresh_token: null }),
        bot_id: botId,
        workspace_id: workspaceId,
        workspace_name: 'Tidewell Homes',
        workspace_icon: null,
        owner: { type: 'workspace', workspace: true },
        duplicated_template_id: null,
      },
    },
    clock,
  );
  const store = new NotionStore(clock);
  const unindexed = new Set<string>();

  function answer(call: Call): Answer {
    const bearer = call.headers['authorization'];
    if (bearer !== `Bearer ${internalSecret}` && auth.scopesOf(bearer) === undefined) {
      throw new Refused(401, 'unauthorized', 'API token is invalid.');
    }
    if (call.headers['notion-version'] !== '2026-03-11') {
      throw new Refused(400, 'missing_version', 'Notion-Version header should be "2026-03-11".');
    }
    const [, what = '', id = '', below = ''] = call.path.split('/').slice(1).map(decodeURIComponent);
    const body = (call.body === '' ? {} : JSON.parse(call.body)) as Body;
    const handler =
      routes[`${call.method} ${what}${id === '' ? '' : '/{id}'}${below === '' ? '' : `/${below}`}`];
    if (handler === undefined) throw new Refused(400, 'invalid_request_url', 'Invalid request URL.');
    return handler({ id, body, query: call.query });
  }

  const routes: Record<string, (asked: { id: string; body: Body; query: URLSearchParams }) => Answer> = {
    'GET users/{id}': ({ id }) => (id === 'me' ? json(bot) : json(noUser(id))),
    'POST search': ({ body }) => {
      const answer = listed(searched(body), body, 'page_or_data_source');
      if (!sandbox.gaveUp) return answer;
      const status = { type: 'incomplete', incomplete_reason: 'query_result_limit_reached' };
      return json({ ...JSON.parse(answer.body ?? '{}'), request_status: status });
    },
    'GET pages/{id}': ({ id }) => json(shownPage(store, pageAt(id))),
    'PATCH pages/{id}': ({ id, body }) => {
      const page = pageAt(id);
      if (typeof body['in_trash'] === 'boolean') store.setTrash(id, body['in_trash']);
      return json(shownPage(store, page));
    },
    'POST pages': ({ body }) => {
      const parent = parentFrom(body['parent'] as Body);
      const source = parent.type === 'data_source_id' ? store.sources.get(parent.data_source_id) : undefined;
      const { title, values } = valuesFrom(body['properties'], source);
      const text = body['children'] === undefined ? [] : blocksFrom(body['children']);
      const page = store.addPage({ title, parent, values: values as never, text, by: botId });
      return json(shownPage(store, page));
    },
    'GET blocks/{id}': ({ id }) => json(blockAt(id)),
    'DELETE blocks/{id}': ({ id }) => {
      const shown = blockAt(id);
      store.removeBlock(id);
      return json({ ...shown, in_trash: true, archived: true });
    },
    'GET blocks/{id}/children': ({ id, query }) => {
      const into = livePage(id) ?? store.blocks.get(id);
      if (into === undefined || into.trash) throw notFound('block', id);
      const asked = { start_cursor: query.get('start_cursor'), page_size: query.get('page_size') ?? 100 };
      const there = into.children.filter((child) => store.pages.get(child)?.trash !== true);
      return listed(there.map(blockAt), asked, 'block');
    },
    'PATCH blocks/{id}/children': ({ id, body }) => {
      const into = livePage(id) ?? store.blocks.get(id);
      if (into === undefined || into.trash) throw notFound('block', id);
      const made = store.append(id, blocksFrom(body['children']), { by: botId });
      store.touch(id);
      return listed(
        made.map((one) => blockAt(one.id)),
        {},
        'block',
      );
    },
    'GET databases/{id}': ({ id }) => {
      const source = store.databaseOf(id);
      if (source === undefined) throw notFound('database', id);
      const siblings = [...store.sources.values()].filter(({ databaseId }) => databaseId === id);
      return json(shownDatabase(source, siblings));
    },
    'GET data_sources/{id}': ({ id }) => json(shownSource(sourceAt(id))),
    'POST data_sources/{id}/query': ({ id, body }) =>
      listed(
        rowsOf(store, sourceAt(id), body).map((page) => shownPage(store, page)),
        body,
        'page_or_data_source',
      ),
  };

  function livePage(id: string) {
    const page = store.pages.get(id);
    return page?.trash === true ? undefined : page;
  }

  function pageAt(id: string) {
    const page = store.pages.get(id);
    if (page === undefined) throw notFound('page', id);
    return page;
  }

  function blockAt(id: string) {
    const shown = store.blocks.get(id)?.trash === true ? undefined : shownBlock(store, id);
    if (shown === undefined) throw notFound('block', id);
    return shown;
  }

  function sourceAt(id: string) {
    const source = store.sources.get(id);
    if (source === undefined) throw notFound('data source', id);
    return source;
  }

  function searched(body: Body) {
    const filter = (body['filter'] ?? {}) as { value?: string; in_trash?: boolean };
    const words = String(body['query'] ?? '').toLowerCase();
    const trash = filter.in_trash === true;
    const pages = [...store.pages.values()]
      .filter((page) => page.trash === trash && !unindexed.has(page.id))
      .map((page) => ({ at: page.edited, title: store.titleOf(page), shown: shownPage(store, page) }));
    const sources = trash
      ? []
      : [...store.sources.values()].map((one) => ({
          at: one.edited,
          title: one.title,
          shown: shownSource(one),
        }));
    const kinds = [
      ...(filter.value === 'data_source' ? [] : pages),
      ...(filter.value === 'page' ? [] : sources),
    ];
    const sort = (body['sort'] ?? {}) as { direction?: string };
    const sign = sort.direction === 'ascending' ? 1 : -1;
    return kinds
      .filter(({ title }) => title.toLowerCase().includes(words))
      .sort((a, b) => sign * (a.at - b.at))
      .map(({ shown }) => shown);
  }

  function parentFrom(given: Body | undefined): Parent {
    const { page_id: page, data_source_id: source } = (given ?? {}) as Record<string, string>;
    if (page !== undefined) {
      if (livePage(page) === undefined) throw notFound('page', page);
      return { type: 'page_id', page_id: page };
    }
    if (source === undefined) throw invalid('body.parent should be defined.');
    return { type: 'data_source_id', data_source_id: source, database_id: sourceAt(source).databaseId };
  }

  const sandbox: NotionSandbox = {
    provider: 'notion',
    hosts: ['api.notion.com'],
    auth,
    store,
    unindexed,
    gaveUp: false,
    handle(call) {
      const signIn = auth.handle(call);
      if (signIn !== undefined) return call.path.endsWith('/revoke') ? json({}) : signIn;
      try {
        return answer(call);
      } catch (thrown) {
        if (thrown instanceof Refused) return thrown.answer;
        throw thrown;
      }
    },
  };
  return sandbox;
}

const bot = {
  object: 'user',
  id: botId,
  name: 'Drawbridge',
  avatar_url: null,
  type: 'bot',
  bot: {
    owner: { type: 'workspace', workspace: true },
    workspace_id: workspaceId,
    workspace_limits: { max_file_upload_size_in_bytes: 5_242_880 },
    workspace_name: 'Tidewell Homes',
  },
};

function noUser(id: string): never {
  throw notFound('user', id);
}
