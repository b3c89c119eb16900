/*
 * Coverage: which inputs reach what no other did. The counters are put into the code when it is bundled (instrument.ts).
 */
declare global {
  var fuzzEdges: Uint32Array | undefined;
}

/** Powers of two: how often a branch was taken counts, but not exactly. */
const bucketOf = (count: number): number => 1 << (32 - Math.clz32(count) - 1);

export class Guide {
  readonly #counts: Uint32Array;
  /** Buckets seen at each branch. */
  readonly #seen: Uint32Array;

  constructor(counts: Uint32Array) {
    this.#counts = counts;
    this.#seen = new Uint32Array(counts.length);
  }

  begin(): void {
    this.#counts.fill(0);
  }

  /** Whether the input that ran since did something new. */
  learns(): boolean {
    let fresh = false;
    for (let i = 0; i < this.#counts.length; i++) {
      const count = this.#counts[i] ?? 0;
      if (count === 0) continue;
      const seen = this.#seen[i] ?? 0;
      const bucket = bucketOf(count);
      if ((seen & bucket) !== 0) continue;
      this.#seen[i] = seen | bucket;
      fresh = true;
    }
    return fresh;
  }

  /** Branches reached so far. */
  get reached(): number {
    return this.#seen.reduce((sum, buckets) => sum + (buckets === 0 ? 0 : 1), 0);
  }
}
