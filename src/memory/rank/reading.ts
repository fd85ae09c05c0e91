// The bodies of the best candidates, each distinct term numbered once: what is reckoned on them afterwards goes by
// numbers, not by words.

export interface Reading {
  /** A passage each, its terms in their order by number. */
  passages: Int32Array[];
  /** By number. */
  terms: string[];
  numberOf(term: string): number | undefined;
}

export function readBodies(bodies: readonly (readonly string[])[]): Reading {
  const numbers = new Map<string, number>();
  const terms: string[] = [];
  const passages = bodies.map((body) => {
    const passage = new Int32Array(body.length);
    for (let i = 0; i < body.length; i += 1) {
      const term = body[i] ?? '';
      let number = numbers.get(term);
      if (number === undefined) {
        number = terms.length;
        numbers.set(term, number);
        terms.push(term);
      }
      passage[i] = number;
    }
    return passage;
  });
  return { passages, terms, numberOf: (term) => numbers.get(term) };
}
