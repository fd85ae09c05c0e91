// The one interface of all rerankers: a model that reads a question and a passage together.

/** None, as people write it. */
export const off = 'off';

export interface Reranker {
  /** Kind and model, for people: `cohere:rerank-v3.5`. */
  readonly name: string;
  /**
   * How well each passage answers the question, higher is better, on a scale of the model's own. In the order of the
   * passages.
   * @throws DrawbridgeError with the codes of the door; `malformed_response` for what cannot be right
   */
  score(question: string, passages: readonly string[], asked: Limits): Promise<number[]>;
}

export interface Limits {
  timeoutMs: number;
  signal?: AbortSignal;
}
