// A question in the space of the vectors that answer it, or why it has none.

export type QuestionVectors =
  | { name: string; dimensions: number; vector: Float32Array }
  /** For people: the words alone are searched. */
  | { unavailable: string };
