import { type VerifiedBinding } from '../binding/chain.js';
import { type EventSubject } from '../events.js';
import { deriveSubkey } from '../format/namespace-key.js';
import { wipe } from '../internal/bytes.js';
import { elapsedMs, type Moment, momentOf } from '../internal/clock.js';
import { isDenial } from '../keys/kms.js';
import { type Leased } from '../keys/leases.js';
import { type Installation } from './installation.js';
import { unwrapGeneration } from './namespace-key.js';

/** Design §5 rule 7, until leases can be chosen: no lease is longer than this. */
export const maxLeaseMs = 30_000;

/** How often a binding is read again, at most, because of a generation that it does not list. */
const rereadMs = 1000;

/** The subkeys of one generation that data is encrypted under. Zeroed when the lease ends: use at once, do not keep. */
export interface GenerationKeys {
  readonly number: number;
  readonly record: Uint8Array;
  readonly wrap: Uint8Array;
}

/** A verified binding and the keys unwrapped under it, for a bounded time. */
export class NamespaceLease implements Leased {
  readonly binding: VerifiedBinding;
  readonly leaseMs: number;
  readonly #installation: Installation;
  readonly #subject: EventSubject;
  readonly #keys = new Map<number, Promise<GenerationKeys>>();
  readonly #unwrapped: GenerationKeys[] = [];
  readonly #onDenial: () => void;
  readonly #started: Moment;
  #read: { readonly since: Moment; readonly binding: Promise<VerifiedBinding | null> };
  #ended = false;

  /** It counts from `started`. `onDenial` is called when the owner's KMS refuses to unwrap. */
  constructor(
    installation: Installation,
    subject: EventSubject,
    binding: VerifiedBinding,
    started: Moment,
    onDenial: () => void,
  ) {
    this.#started = started;
    this.#installation = installation;
    this.#subject = subject;
    this.#onDenial = onDenial;
    this.#read = { since: momentOf(installation.clock), binding: Promise.resolve(binding) };
    this.binding = binding;
    this.leaseMs = Math.min(binding.payload.leaseMs, maxLeaseMs);
    const { epoch } = binding.trust;
    installation.emit({ type: 'lease-started', ...subject, epoch, leaseMs: this.leaseMs });
  }

  /** By the clocks too: a timer may be late, after sleep or in a busy process. */
  get ended(): boolean {
    return this.#ended || elapsedMs(this.#installation.clock, this.#started) >= this.leaseMs;
  }

  /**
   * The newest binding, read after this was called: for those who look for what this one does not list. They share one
   * reading, and there is at most one a second. The lease stays what it is.
   */
  async newer(read: () => Promise<VerifiedBinding | null>): Promise<VerifiedBinding | null> {
    const { clock } = this.#installation;
    const before = this.#read;
    const wait = rereadMs - elapsedMs(clock, before.since);
    if (wait > 0) await new Promise((resolve) => void setTimeout(resolve, wait));
    if (this.#read === before) this.#read = { since: momentOf(clock), binding: read() };
    return this.#read.binding;
  }

  /**
   * The keys of a generation that the binding lists; one flight each, failures not kept. Check {@link ended} after
   * waiting: the keys of an ended lease are zeros.
   */
  keys(number: number): Promise<GenerationKeys> {
    const present = this.#keys.get(number);
    if (present !== undefined) return present;
    const flight = this.#unwrap(number);
    this.#keys.set(number, flight);
    flight.catch((error: unknown) => {
      this.#keys.delete(number);
      if (isDenial(error)) this.#onDenial();
    });
    return flight;
  }

  async #unwrap(number: number): Promise<GenerationKeys> {
    const { binding } = this;
    const generation = binding.payload.generations.find((one) => one.number === number);
    if (generation === undefined) throw new Error('callers ask for generations that the binding lists');
    const { engine } = this.#installation;
    const { namespaceKey } = await unwrapGeneration(this.#installation, binding, generation);
    const keys: GenerationKeys = {
      number,
      record: deriveSubkey(engine, namespaceKey, 'record', binding.identity, number),
      wrap: deriveSubkey(engine, namespaceKey, 'wrap', binding.identity, number),
    };
    wipe(namespaceKey);
    this.#unwrapped.push(keys);
    if (this.#ended) this.#wipe();
    return keys;
  }

  end(reason: 'expired' | 'purged'): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#wipe();
    this.#installation.emit({ type: 'lease-ended', ...this.#subject, reason });
  }

  #wipe(): void {
    for (const keys of this.#unwrapped) wipe(keys.record, keys.wrap);
  }
}
