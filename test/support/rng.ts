/** A small seeded generator, so that a failing test fails again. Not for keys. */
export class Rng {
  #state: number;

  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** mulberry32 (Tommy Ettinger, public domain). */
  #next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let t = this.#state;
    t = Math.imul(t ^ (t >>> 15), t | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return (t ^ (t >>> 14)) >>> 0;
  }

  /** A whole number from 0 to `limit` − 1. */
  below(limit: number): number {
    return Math.floor((this.#next() / 2 ** 32) * limit);
  }

  /** One of `values`, which is not empty. */
  pick<T>(values: readonly T[]): T {
    // The index is in range.
    return values[this.below(values.length)] as T;
  }

  bytes(length: number): Uint8Array {
    return new Uint8Array(length).map(() => this.#next() >>> 24);
  }
}
