// The one interface of all embedders. A vector is stored under its embedder's name, so a change of model never
// mixes two spaces.

export interface Embedder {
  /** Model and version, as stored beside each vector: `static-en-256@1`. */
  readonly name: string;
  readonly dimensions: number;
  /** Tokens that one text may have, and texts that one call may have; undefined: no matter. */
  readonly limits?: { tokens: number; texts: number };
  /**
   * Unit vectors, one row of `dimensions` a text, one after another; a row of zeros where the text holds nothing
   * that the model knows.
   * @throws DrawbridgeError with the codes of the door, where the model is asked over the network
   */
  embed(texts: readonly string[], kind: 'passage' | 'question', signal?: AbortSignal): Promise<Float32Array>;
}
