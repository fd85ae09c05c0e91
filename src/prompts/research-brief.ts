// research-brief: what memory holds of a client or a property, to be made into a brief whose every line is cited.
import { z } from 'zod';
import { DrawbridgeError } from '../errors.ts';
import type { Passage } from '../memory/memory.ts';
import { visibleLine } from '../untrusted.ts';
import { definePrompt, type PromptContext } from './define.ts';
import { citing, materialOf } from './material.ts';

const aspects = [
  'what was agreed, offered and asked last',
  'budget, price, amount, invoice',
  'wishes, requirements, preferences, concerns',
  'next meeting, viewing, deadline',
] as const;
const perAspect = 5;
const standings = ['for_sale', 'for_rent', 'sold'] as const;
/** As many as the protocol lets one answer hold. */
const mostSuggested = 100;

export const researchBrief = definePrompt({
  name: 'research-brief',
  title: 'Research brief',
  description: 'A brief on a client or a property, from memory, each statement with its source.',
  arguments: z.object({
    subject: z.string().trim().min(1).max(200).describe('Name or address of a client, or of a property'),
    purpose: z.string().trim().max(500).optional().describe('What the brief is for'),
  }),
  suggest: { subject: (context, typed) => namesLike(context, typed.slice(0, 200)) },
  async text(context, { subject, purpose }) {
    const found = await lookUp(context, subject);
    const name = visibleLine(subject, 200);
    const output = `brief-${slug(subject)}-${new Date(context.rooms.clock.now()).toISOString().slice(0, 10)}`;
    const { text, receiptId } = materialOf(context, 'research-brief', {
      question: subject,
      passages: found.passages,
    });
    if (receiptId === undefined) {
      return `Memory holds nothing about "${name}". Say so, and ask which client or property is meant; list-connections shows which accounts are connected.`;
    }
    return [
      `Write a research brief about "${name}"${purpose === undefined || purpose === '' ? '' : ` for this purpose: ${visibleLine(purpose, 500)}`}.`,
      'At most one page: who or what it is; where things stand; what is open or promised, and by whom; what is wanted; what to do next. Say of anything old that it is, and name what is missing instead of guessing.',
      citing(receiptId, output),
      ...(found.candidates.length > 1
        ? [
            `Several clients bear this name: ${found.candidates.map((id) => `ime://clients/${id}`).join(', ')}. Keep them apart, or ask which is meant.`,
          ]
        : []),
      text,
    ].join('\n\n');
  },
});

/** Clients by the beginnings of their names, then homes by the words of their addresses. */
async function namesLike({ org, rooms }: PromptContext, typed: string): Promise<string[]> {
  const clients = await rooms.memory.clients(org, { words: typed, limit: mostSuggested });
  const names = clients.map(({ name }) => visibleLine(name, 200));
  if (typed.trim() === '') return [...new Set(names)];
  const homes = await Promise.all(
    standings.map((status) => rooms.memory.properties(org, { location: typed, status, page: 1 })),
  );
  const addresses = homes.flat().map(({ listing }) => visibleLine(listing.address, 200));
  return [...new Set([...names, ...addresses])].slice(0, mostSuggested);
}

async function lookUp(context: PromptContext, subject: string) {
  const { org, rooms } = context;
  try {
    const seen = new Map<string, Passage>();
    const candidates = new Set<string>();
    for (const aspect of aspects) {
      const answer = await rooms.memory.search(org, {
        question: `${subject}: ${aspect}`,
        clients: [subject],
        limit: perAspect,
      });
      for (const one of answer.candidates) candidates.add(one.id);
      for (const one of answer.passages) if (!seen.has(one.chunkId)) seen.set(one.chunkId, one);
    }
    return { passages: [...seen.values()], candidates: [...candidates] };
  } catch (thrown) {
    // No client answers to it. A property then, or a subject: the words of an aspect alone would find anything.
    if (!(thrown instanceof DrawbridgeError) || thrown.code !== 'not_found') throw thrown;
    const { passages } = await rooms.memory.search(org, {
      question: subject,
      limit: perAspect * aspects.length,
    });
    return { passages, candidates: [] };
  }
}

function slug(subject: string): string {
  const plain = subject
    .normalize('NFKD')
    .toLowerCase()
    .replace(/[^a-z0-9]+/gu, '-')
    .replace(/^-+|-+$/gu, '');
  return plain.slice(0, 40) || 'subject';
}
