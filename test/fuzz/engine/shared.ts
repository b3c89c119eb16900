/*
 * Where a worker says what it is running, so that its keeper can tell when it hangs, and on what.
 */

/** Longest input. */
export const maxInput = 1024 * 1024;
const headLength = 24;

export class Blackboard {
  readonly memory: SharedArrayBuffer;
  readonly #words: Int32Array;
  readonly #since: Float64Array;
  readonly #input: Uint8Array;

  constructor(memory = new SharedArrayBuffer(headLength + maxInput)) {
    this.memory = memory;
    this.#words = new Int32Array(memory, 0, 2);
    this.#since = new Float64Array(memory, 8, 1);
    this.#input = new Uint8Array(memory, headLength);
  }

  begin(input: Uint8Array): void {
    this.#input.set(input.subarray(0, maxInput));
    this.#since[0] = Date.now();
    Atomics.store(this.#words, 1, Math.min(input.length, maxInput));
    Atomics.store(this.#words, 0, 1);
  }

  end(): void {
    Atomics.store(this.#words, 0, 0);
  }

  /** For how long the worker has been at one input, or 0. */
  runningMs(): number {
    return Atomics.load(this.#words, 0) === 0 ? 0 : Date.now() - (this.#since[0] ?? 0);
  }

  /** What it is running, or ran last. */
  input(): Uint8Array {
    return this.#input.slice(0, Atomics.load(this.#words, 1));
  }
}
