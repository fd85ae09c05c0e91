import type { Page, Response } from 'playwright-core';

/**
 * Opens an address as a person does who types it: a page that is just loading itself again (the open list, an
 * action that was decided) or that still comes back from its form gives way, instead of taking its place.
 */
export async function visit(page: Page, url: string): Promise<Response | null> {
  for (let times = 0; ; times += 1) {
    try {
      return await page.goto(url);
    } catch (error) {
      const overtaken =
        error instanceof Error && /interrupted by another navigation|net::ERR_ABORTED/.test(error.message);
      if (!overtaken || times === 3) throw error;
    }
  }
}
