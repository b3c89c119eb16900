/*
 * Many tasks in one process, of which one step at a time is let go, in an order that a seed decides. The clock is the
 * scheduler's own: time passes only between steps, and only when it says so. The same seed gives the same order.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import { KeyObject, sign, verify } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import { vi } from 'vitest';
import { Rng } from './rng.js';

interface Parked {
  readonly what: string;
  readonly resume: () => void;
}

/** What a task came to. */
export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

const taskName = new AsyncLocalStorage<string>();

/** Calls of WebCrypto under way: the one thing here that other threads do, and must be waited for. */
let calls = 0;

/** Keys that were imported under the scheduler in charge. */
const imported = new Map<string, Promise<CryptoKey>>();

type Method = (...args: never[]) => Promise<unknown>;

/**
 * Counts the calls of WebCrypto that are under way, and shortens them, as waiting for threads is most of what they take:
 * Ed25519 is done at once by node:crypto, which gives the same bytes, and a key that was imported before is given again.
 */
function watchWebCrypto(): void {
  const { subtle } = crypto;
  if (Object.hasOwn(subtle, 'sign')) return;
  const counted =
    <M extends Method>(method: M) =>
    async (...args: Parameters<M>): Promise<Awaited<ReturnType<M>>> => {
      calls++;
      try {
        // What the method resolves to.
        return (await method(...args)) as Awaited<ReturnType<M>>;
      } finally {
        calls--;
      }
    };
  const importKey = subtle.importKey.bind(subtle) as (...args: unknown[]) => Promise<CryptoKey>;
  const replacements: Record<string, Method> = {
    exportKey: subtle.exportKey.bind(subtle),
    importKey: (format: string, key: Uint8Array, ...rest: unknown[]) => {
      const id = JSON.stringify([format, Buffer.from(key).toString('hex'), rest]);
      const known = imported.get(id) ?? importKey(format, key, ...rest);
      imported.set(id, known);
      return known;
    },
    sign: (_: unknown, key: CryptoKey, data: Uint8Array) =>
      Promise.resolve(sign(null, data, KeyObject.from(key))),
    verify: (_: unknown, key: CryptoKey, signature: Uint8Array, data: Uint8Array) =>
      Promise.resolve(verify(null, data, KeyObject.from(key), signature)),
  };
  for (const [name, method] of Object.entries(replacements)) {
    Object.defineProperty(subtle, name, { value: counted(method), configurable: true });
  }
}

/** Returns when nothing moves any more until a step is let go. */
async function quiet(): Promise<void> {
  do await setImmediate();
  while (calls > 0);
}

export interface SchedulerOptions {
  /** Of a thousand steps, before how many time passes. @default 0 */
  readonly pauses?: number;
  /** How long such a pause may last. */
  readonly pausesMs?: readonly number[];
}

/** Takes the clock over from when it is made until it is closed. */
export class Scheduler {
  readonly rng: Rng;
  /** The steps that were let go, in order. */
  readonly trace: string[] = [];
  readonly #options: SchedulerOptions;
  #parked: Parked[] = [];
  #running = false;

  constructor(seed: number, options: SchedulerOptions = {}) {
    this.rng = new Rng(seed);
    this.#options = options;
    watchWebCrypto();
    imported.clear();
    vi.useFakeTimers({
      toFake: ['Date', 'performance', 'setTimeout', 'clearTimeout'],
      now: Date.UTC(2026, 0, 1),
    });
  }

  /** Waits until it is this step's turn. Does not wait while no tasks run. */
  async step(what: string): Promise<void> {
    if (!this.#running) return;
    const task = taskName.getStore() ?? 'somebody';
    await new Promise<void>((resume) => this.#parked.push({ what: `${task}: ${what}`, resume }));
  }

  /** Waits for a turn, or does not, as the seed decides: for what may take long or not. */
  async maybe(what: string): Promise<void> {
    if (this.#running && this.rng.below(2) === 0) await this.step(what);
  }

  /** Runs all tasks to their end, one step at a time. */
  async run<T>(tasks: Readonly<Record<string, () => Promise<T>>>): Promise<Record<string, Outcome<T>>> {
    this.#running = true;
    const outcomes: Record<string, Outcome<T>> = {};
    let open = 0;
    for (const [name, work] of Object.entries(tasks)) {
      open++;
      void taskName.run(name, async () => {
        try {
          await this.step('begins');
          outcomes[name] = { value: await work() };
        } catch (error) {
          outcomes[name] = { error };
        } finally {
          open--;
        }
      });
    }
    for (;;) {
      await quiet();
      if (open === 0) break;
      this.#letOneGo();
    }
    this.#running = false;
    for (const { resume } of this.#parked.splice(0)) resume();
    await quiet();
    return outcomes;
  }

  /** Lets time pass, between runs. */
  pass(ms: number): void {
    vi.advanceTimersByTime(ms);
  }

  /** Gives the clock back. */
  close(): void {
    vi.useRealTimers();
  }

  #letOneGo(): void {
    const { pauses = 0, pausesMs = [] } = this.#options;
    if (this.#parked.length === 0) {
      // Whoever is left waits for a time to come.
      if (vi.getTimerCount() === 0) throw new Error('every task waits for another one');
      vi.advanceTimersToNextTimer();
    } else if (pauses > 0 && this.rng.below(1000) < pauses) {
      const pause = this.rng.pick(pausesMs);
      this.trace.push(`${String(pause)} ms pass`);
      vi.advanceTimersByTime(pause);
    } else {
      const [next] = this.#parked.splice(this.rng.below(this.#parked.length), 1);
      this.trace.push(next?.what ?? '');
      next?.resume();
    }
  }
}
