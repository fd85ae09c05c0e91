// Notion's answers, as far as they are read. What is missing or of another kind is left out; only what is no such
// answer at all is an error.
import { z } from 'zod';

const text = z.string().optional().catch(undefined);
const flag = z.boolean().optional().catch(undefined);

export const richText = z.object({
  type: text,
  plain_text: z.string().catch(''),
  href: z.string().nullish().catch(undefined),
  annotations: z
    .object({ bold: flag, italic: flag, strikethrough: flag, code: flag })
    .optional()
    .catch(undefined),
  equation: z.object({ expression: z.string() }).optional().catch(undefined),
});
export type RichText = z.infer<typeof richText>;
export const richTexts = z.array(richText);

const place = z.object({ url: z.string() }).optional().catch(undefined);

/** What stands under a block's own type, whichever it is. */
export const blockContent = z.object({
  rich_text: richTexts.optional().catch(undefined),
  caption: richTexts.optional().catch(undefined),
  /** Of a child page a text, of meeting notes rich. */
  title: z.union([z.string(), richTexts]).optional().catch(undefined),
  checked: flag,
  language: text,
  expression: text,
  url: text,
  name: text,
  /** Of a file elsewhere. Notion's own (`file`) have addresses that end after an hour. */
  external: place,
  cells: z.array(richTexts).optional().catch(undefined),
  has_column_header: flag,
  icon: z.object({ emoji: text }).nullish().catch(undefined),
  synced_from: z.object({ block_id: text }).nullish().catch(undefined),
  page_id: text,
  database_id: text,
  block_type: text,
  list_start_index: z.number().optional().catch(undefined),
  /** Where the parts of meeting notes stand. */
  children: z
    .object({ summary_block_id: text, notes_block_id: text, transcript_block_id: text })
    .optional()
    .catch(undefined),
});
export type BlockContent = z.infer<typeof blockContent>;

/** Without a type where the integration may not see it. */
export const block = z.looseObject({
  id: z.string(),
  type: text,
  has_children: flag,
  in_trash: flag,
  created_by: z.object({ id: z.string() }).optional().catch(undefined),
});
export type Block = z.infer<typeof block>;

export function contentOf(one: Block): BlockContent {
  return blockContent.safeParse(one[one.type ?? '']).data ?? {};
}

/** A value of a page, under the name of its type. */
export const property = z.looseObject({ type: z.string() });
export type Property = z.infer<typeof property>;

const parent = z
  .object({ type: text, page_id: text, block_id: text, data_source_id: text, database_id: text })
  .optional()
  .catch(undefined);

export const page = z.object({
  object: z.literal('page'),
  id: z.string(),
  url: text,
  created_time: text,
  last_edited_time: text,
  in_trash: flag,
  parent,
  properties: z.record(z.string(), property).optional().catch(undefined),
  created_by: z.object({ id: z.string() }).optional().catch(undefined),
});
export type Page = z.infer<typeof page>;

const choices = z
  .object({ options: z.array(z.object({ name: z.string() })) })
  .optional()
  .catch(undefined);

/** A column of a data source. */
export const column = z.object({
  type: z.string(),
  select: choices,
  status: choices,
  multi_select: choices,
});
export type Column = z.infer<typeof column>;

export const dataSource = z.object({
  object: z.literal('data_source'),
  id: z.string(),
  title: richTexts.optional().catch(undefined),
  url: text,
  last_edited_time: text,
  in_trash: flag,
  properties: z.record(z.string(), column),
});
export type DataSource = z.infer<typeof dataSource>;

export const database = z.object({
  object: z.literal('database'),
  id: z.string(),
  title: richTexts.optional().catch(undefined),
  url: text,
  data_sources: z.array(z.object({ id: z.string(), name: z.string() })),
});

export const found = z.union([page, dataSource]);
export type Found = z.infer<typeof found>;

const person = z.object({ email: text }).optional().catch(undefined);
export const user = z.object({ id: z.string(), name: z.string().nullish().catch(undefined), person });

/** Whom the token belongs to: a bot, also where a person agreed to it. */
export const self = z.object({
  object: z.literal('user'),
  id: z.string().min(1),
  name: z.string().nullish(),
  bot: z
    .object({ workspace_name: z.string().nullish().catch(undefined) })
    .optional()
    .catch(undefined),
});

/** Integer ms; undefined where it tells none. */
export function timeOf(told: string | undefined): number | undefined {
  const at = Date.parse(told ?? '');
  return Number.isNaN(at) ? undefined : at;
}
