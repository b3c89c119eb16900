import { type Clock, elapsedMs, momentOf, type Moment } from '../internal/clock.js';
import { withSignal } from '../internal/signal.js';

/** Something that may be used for a bounded time, and is zeroed afterwards. */
export interface Leased {
  /** From the moment its first request was sent; 0 means that it serves only those who waited for it. */
  readonly leaseMs: number;
  end(reason: 'expired' | 'purged'): void;
}

interface Entry<T> {
  readonly started: Moment;
  readonly flight: Promise<T>;
  lease?: T;
  timer?: ReturnType<typeof setTimeout>;
}

/**
 * Leases by key, one flight each (design §5 rule 7): whoever asks while a lease is being obtained waits for that one.
 * A lease's age counts from before its first request. Failures are not kept.
 */
export class Leases<T extends Leased> {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry<T>>();

  readonly #longestMs: number;

  /** No lease is longer than `longestMs`, so a flight of that age can give none that is still live. */
  constructor(clock: Clock, longestMs: number) {
    this.#clock = clock;
    this.#longestMs = longestMs;
  }

  /**
   * The live lease under `key`, or the one that `load` obtains, which counts from `started`. `load` is shared by all who wait, so it does not see
   * `signal`, which only ends this caller's wait.
   */
  async get(key: string, load: (started: Moment) => Promise<T>, signal?: AbortSignal): Promise<T> {
    const present = this.#entries.get(key);
    if (present !== undefined && !this.#live(present)) this.#drop(key, present, 'expired');
    const entry = this.#entries.get(key) ?? this.#begin(key, load);
    return withSignal(entry.flight, signal);
  }

  /** Ends the lease under `key`, and keeps one being obtained from being used by those who ask from now on. */
  purge(key: string): void {
    const entry = this.#entries.get(key);
    if (entry !== undefined) this.#drop(key, entry, 'purged');
  }

  /** Ends all leases. */
  purgeAll(): void {
    for (const key of [...this.#entries.keys()]) this.purge(key);
  }

  #begin(key: string, load: (started: Moment) => Promise<T>): Entry<T> {
    const started = momentOf(this.#clock);
    const entry: Entry<T> = { started, flight: load(started) };
    this.#entries.set(key, entry);
    entry.flight.then(
      (lease) => {
        entry.lease = lease;
        if (this.#entries.get(key) !== entry) {
          lease.end('purged');
          return;
        }
        const rest = lease.leaseMs - elapsedMs(this.#clock, entry.started);
        entry.timer = setTimeout(
          () => {
            this.#drop(key, entry, 'expired');
          },
          Math.max(0, rest),
        );
        // Zeroing keys is no reason to keep a process alive; where timers are numbers they do not.
        (entry.timer as { unref?: () => void }).unref?.();
      },
      () => {
        if (this.#entries.get(key) === entry) this.#entries.delete(key);
      },
    );
    return entry;
  }

  #live({ started, lease }: Entry<T>): boolean {
    return elapsedMs(this.#clock, started) < (lease?.leaseMs ?? this.#longestMs);
  }

  #drop(key: string, entry: Entry<T>, reason: 'expired' | 'purged'): void {
    clearTimeout(entry.timer);
    if (this.#entries.get(key) === entry) this.#entries.delete(key);
    entry.lease?.end(reason);
  }
}
