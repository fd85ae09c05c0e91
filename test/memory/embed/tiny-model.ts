// Writes a tiny model as transformers.js takes it: an ONNX file that looks words up in a table (and adds them up, where it
// is a reranker's), and a tokenizer with a word an entry. The protobuf is written by hand: https://onnx.ai/onnx/repo-docs/IR.html
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Protobuf's wire format: https://protobuf.dev/programming-guides/encoding/ */
function varint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  do {
    bytes.push((rest & 127) | (rest > 127 ? 128 : 0));
    rest >>>= 7;
  } while (rest > 0);
  return Buffer.from(bytes);
}
const integer = (field: number, value: number) => Buffer.concat([varint(field << 3), varint(value)]);
const bytes = (field: number, value: Buffer | string) => {
  const content = Buffer.from(value as string);
  return Buffer.concat([varint((field << 3) | 2), varint(content.length), content]);
};
const message = (field: number, ...parts: Buffer[]) => bytes(field, Buffer.concat(parts));

const floatType = 1;
const int64Type = 7;

/** ValueInfoProto of a tensor whose sizes are names, or numbers. */
const value = (field: number, name: string, type: number, sizes: (string | number)[]) =>
  message(
    field,
    bytes(1, name),
    message(
      2,
      message(
        1,
        integer(1, type),
        message(
          2,
          ...sizes.map((size) => message(1, typeof size === 'number' ? integer(1, size) : bytes(2, size))),
        ),
      ),
    ),
  );

/** last_hidden_state = Gather(table, input_ids); where `summed`, logits = ReduceSum(that, 1): a number a label. */
function onnxOf(table: number[][], summed: boolean): Buffer {
  const width = table[0]?.length ?? 0;
  const looked = summed ? 'looked_up' : 'last_hidden_state';
  const graph = [
    message(1, bytes(1, 'table'), bytes(1, 'input_ids'), bytes(2, looked), bytes(4, 'Gather')),
    ...(summed
      ? [
          message(
            1,
            bytes(1, looked),
            bytes(1, 'words'),
            bytes(2, 'logits'),
            bytes(4, 'ReduceSum'),
            // keepdims (1) as an integer (2): no.
            message(5, bytes(1, 'keepdims'), integer(3, 0), integer(20, 2)),
          ),
          message(
            5,
            integer(1, 1),
            integer(2, int64Type),
            bytes(8, 'words'),
            bytes(9, Buffer.from(BigInt64Array.of(1n).buffer)),
          ),
        ]
      : []),
    bytes(2, 'tiny'),
    message(
      5,
      integer(1, table.length),
      integer(1, width),
      integer(2, floatType),
      bytes(8, 'table'),
      bytes(9, Buffer.from(Float32Array.from(table.flat()).buffer)),
    ),
    value(11, 'input_ids', int64Type, ['batch', 'sequence']),
    summed
      ? value(12, 'logits', floatType, ['batch', width])
      : value(12, looked, floatType, ['batch', 'sequence', width]),
  ];
  // ModelProto: IR version 8, operators of version 13.
  return Buffer.concat([integer(1, 8), message(8, integer(2, 13)), message(7, ...graph)]);
}

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]'];

/**
 * A folder with the model; `words`: a vector a word. `reranker`: what the words of question and passage weigh together, a
 * number a label.
 */
export async function writeTinyModel(
  folder: string,
  words: Record<string, number[]>,
  { reranker = false } = {},
): Promise<void> {
  const width = Object.values(words)[0]?.length ?? 0;
  const names = [...special, ...Object.keys(words)];
  const vocab = Object.fromEntries(names.map((name, id) => [name, id]));
  const small = new Array(width).fill(0).map((_, d) => (d === width - 1 && !reranker ? 0.01 : 0));
  const token = (name: string) => ({ SpecialToken: { id: name, type_id: 0 } });
  const template = { id: 'A', type_id: 0 };
  const files: Record<string, unknown> = {
    'config.json': {
      model_type: 'bert',
      architectures: [reranker ? 'BertForSequenceClassification' : 'BertModel'],
      hidden_size: width,
      vocab_size: names.length,
    },
    'tokenizer_config.json': {
      tokenizer_class: 'BertTokenizer',
      do_lower_case: true,
      model_max_length: 512,
      pad_token: '[PAD]',
      unk_token: '[UNK]',
      cls_token: '[CLS]',
      sep_token: '[SEP]',
    },
    'tokenizer.json': {
      version: '1.0',
      truncation: null,
      padding: null,
      added_tokens: special.map((content, id) => ({
        id,
        content,
        single_word: false,
        lstrip: false,
        rstrip: false,
        normalized: false,
        special: true,
      })),
      normalizer: {
        type: 'BertNormalizer',
        clean_text: true,
        handle_chinese_chars: true,
        strip_accents: null,
        lowercase: true,
      },
      pre_tokenizer: { type: 'BertPreTokenizer' },
      post_processor: {
        type: 'TemplateProcessing',
        single: [token('[CLS]'), { Sequence: template }, token('[SEP]')],
        pair: [
          token('[CLS]'),
          { Sequence: template },
          token('[SEP]'),
          { Sequence: { id: 'B', type_id: 1 } },
          token('[SEP]'),
        ],
        special_tokens: Object.fromEntries(
          ['[CLS]', '[SEP]'].map((name) => [name, { id: name, ids: [vocab[name]], tokens: [name] }]),
        ),
      },
      decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
      model: {
        type: 'WordPiece',
        unk_token: '[UNK]',
        continuing_subword_prefix: '##',
        max_input_chars_per_word: 100,
        vocab,
      },
    },
  };
  await mkdir(join(folder, 'onnx'), { recursive: true });
  for (const [name, content] of Object.entries(files))
    await writeFile(join(folder, name), JSON.stringify(content));
  const table = names.map((name) => words[name] ?? small);
  await writeFile(join(folder, 'onnx', 'model.onnx'), onnxOf(table, reranker));
}
