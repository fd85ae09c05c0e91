// The pages of memory, put together. Looking changes nothing; each change is a POST with the session's token.
import { Hono } from 'hono';
import type { PageEnv, PageRooms } from '../environment.ts';
import { aboutRoutes } from './about-routes.ts';
import { clientRoutes } from './client-routes.ts';
import { outputRoutes } from './output-routes.ts';
import { searchRoutes } from './search-routes.ts';
import { sourcesRoutes } from './sources-routes.ts';

export function memoryRoutes(rooms: PageRooms): Hono<PageEnv> {
  const pages = new Hono<PageEnv>();
  pages.route('/', aboutRoutes(rooms));
  pages.route('/', clientRoutes(rooms));
  pages.route('/', outputRoutes(rooms));
  pages.route('/', searchRoutes(rooms));
  pages.route('/', sourcesRoutes(rooms));
  return pages;
}
