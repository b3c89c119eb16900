/*
 * Running one input under every oracle, and making what fails small.
 */
import { type Blackboard } from './shared.js';
import { reseed } from './seeded-engine.js';
import { checkPrototypes, type Fault, isPolluted, judge, meter } from './oracles.js';
import { type Target } from './target.js';

/** An input that takes longer hangs. */
export const maxMs = 2000;

// The world that targets build may hurry these; here they are what they say.
const { setTimeout: wait, clearTimeout: stopWaiting, setImmediate: turn } = globalThis;
const hung = Symbol('hung');

const strays: unknown[] = [];
process.on('unhandledRejection', (reason) => strays.push(reason));
process.on('uncaughtException', (error) => strays.push(error));

export class Runs {
  readonly #target: Target;
  readonly #board: Blackboard;
  #count = 0;
  #accepted = 0;

  constructor(target: Target, board: Blackboard) {
    this.#target = target;
    this.#board = board;
  }

  get count(): number {
    return this.#count;
  }

  /** Inputs that were no error. */
  get accepted(): number {
    return this.#accepted;
  }

  async run(input: Uint8Array): Promise<Fault | null> {
    const found = await this.#once(input);
    // A busy machine is slow too; what is slow twice is slow.
    return found?.key === 'slow' ? this.#once(input) : found;
  }

  async #once(input: Uint8Array): Promise<Fault | null> {
    this.#count++;
    reseed(1);
    const measured = meter();
    this.#board.begin(input);
    const started = performance.now();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let failure: { error: unknown } | undefined;
    const limit = new Promise<typeof hung>((resolve) => {
      timer = wait(() => {
        resolve(hung);
      }, maxMs);
    });
    let ended: unknown;
    try {
      // A copy, so that nobody changes the corpus.
      ended = await Promise.race([this.#target.run(input.slice()), limit]);
    } catch (error) {
      failure = { error };
    } finally {
      stopWaiting(timer);
    }
    const took = performance.now() - started;
    // Rejections that nobody handles are told in the turn after.
    await new Promise<void>((resolve) => turn(resolve));
    this.#board.end();
    const [stray] = strays.splice(0);
    if (stray !== undefined)
      return {
        what: `left a rejection unhandled: ${stray instanceof Error ? stray.message : typeof stray}`,
        key: 'unhandled rejection',
      };
    if (failure === undefined && ended !== hung) this.#accepted++;
    if (ended === hung) return { what: `did not end within ${String(maxMs)} ms`, key: 'hung' };
    if (took > maxMs) return { what: `took ${took.toFixed(0)} ms`, key: 'slow' };
    const full = this.#count % 64 === 0 || isPolluted();
    return (
      (failure === undefined ? null : judge(this.#target, failure.error, input)) ??
      measured() ??
      (full ? checkPrototypes() : null)
    );
  }

  /** The smallest input with the same fault that a few hundred tries find. */
  async minimise(input: Uint8Array, { key }: Fault): Promise<Uint8Array> {
    if (key === 'hung' || key === 'slow') return input;
    let best = input;
    let tries = 400;
    const ends = performance.now() + 4 * maxMs;
    const attempt = async (candidate: Uint8Array): Promise<boolean> => {
      if (tries-- <= 0 || performance.now() > ends) return false;
      if ((await this.#once(candidate))?.key !== key) return false;
      best = candidate;
      return true;
    };
    for (let size = best.length >> 1; size >= 1; size >>= 1) {
      for (let at = 0; at < best.length && tries > 0;) {
        const shorter = new Uint8Array(Buffer.concat([best.subarray(0, at), best.subarray(at + size)]));
        if (!(await attempt(shorter))) at += size;
      }
    }
    return best;
  }
}
