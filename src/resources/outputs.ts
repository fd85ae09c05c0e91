// ime://outputs/{id}: what an output was informed by, and what became of its sources.
import { iso } from '../time.ts';
import { visibleLine } from '../untrusted.ts';
import { asJson, type ResourceKind } from './define.ts';

export const outputs: ResourceKind = {
  name: 'output',
  title: 'Informed by',
  description:
    'The sources of a brief, mail or other output, each with its age at use and whether it changed.',
  prefix: 'ime://outputs/',
  mimeType: 'application/json',
  async read({ org, rooms }, id) {
    const { title, at, by, sources } = await rooms.receipts.informedBy(org, id);
    const text = asJson({
      title: visibleLine(title),
      at: iso(at),
      by: visibleLine(by),
      sources: sources.map((one) => ({
        section: visibleLine(one.section),
        role: visibleLine(one.role),
        state: one.state,
        ...(one.documentId === undefined ? {} : { uri: `ime://documents/${one.documentId}` }),
        ...(one.title === undefined ? {} : { title: visibleLine(one.title) }),
        usedAt: iso(one.usedAt),
        verifiedAt: iso(one.verifiedAt),
        sha256: one.contentHash,
        scores: one.scores,
      })),
    });
    return { mimeType: 'application/json', text, trust: 'untrusted' };
  },
  async list({ org, rooms }, limit) {
    const found = await rooms.receipts.outputs(org, limit);
    return found.map(({ id, title, sources }) => ({
      id,
      name: visibleLine(title, 100),
      description: `${sources} ${sources === 1 ? 'source' : 'sources'}`,
    }));
  },
};
