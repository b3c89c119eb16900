import { type ReadOptions, type VerifiedBinding } from '../binding/chain.js';
import { type ErrorCode, IntegrityFailure, KeyboundError } from '../errors.js';
import { type EventSubject, type KeyboundEvent } from '../events.js';
import { activeGeneration } from '../format/binding-payload.js';
import { type GenerationKeys, NamespaceLease } from '../lifecycle/lease.js';
import { type Installation } from '../lifecycle/installation.js';
import { WrapMissing } from '../lifecycle/namespace-key.js';
import { checkUsable, notFound } from '../lifecycle/status.js';
import { type Moment } from '../internal/clock.js';
import { quote } from '../internal/quote.js';
import { withSignal } from '../internal/signal.js';
import { type Leases } from '../keys/leases.js';
import { type Region } from '../storage/regions.js';

/** How often a lease that ended, or wraps that went missing, between two steps are asked for again. */
const attempts = 3;

type IntegrityKind = Extract<KeyboundEvent, { type: 'integrity-failure' }>['kind'];

/** A generation further ahead than this within one lease is no rotation that was missed, but a bad ciphertext. */
const maxRotations = 16;

/** Codes of faults that are found where nobody knows whose data it is. */
const nameless: readonly ErrorCode[] = ['not-ciphertext', 'unsupported-form', 'source-failed', 'too-large'];

const lists = ({ payload }: VerifiedBinding, generation: number): boolean =>
  payload.generations.some((one) => one.number === generation);

/** What the operations of one handle share: whose data it is, and the lease under which it is used. */
export class Session {
  readonly installation: Installation;
  readonly subject: EventSubject;
  readonly region: Region;
  readonly #leases: Leases<NamespaceLease>;
  readonly #instance: string;
  readonly #leaseKey: string;

  /** `instance` (base64url) is the one that was opened: should another take its place, the handle refuses it. */
  constructor(
    installation: Installation,
    leases: Leases<NamespaceLease>,
    subject: EventSubject,
    instance: string,
  ) {
    this.installation = installation;
    this.subject = subject;
    this.region = installation.regions.get(subject.region);
    this.#leases = leases;
    this.#instance = instance;
    this.#leaseKey = JSON.stringify([installation.registry, subject.region, subject.namespace, instance]);
  }

  readOptions(signal: AbortSignal | undefined): ReadOptions {
    return { instance: this.#instance, signal };
  }

  /** Ends the lease: the next use reads the binding and asks the KMS again. */
  purge(): void {
    this.#leases.purge(this.#leaseKey);
  }

  /** Ends this very lease. Of many who find it wanting at once, only the first does so; all share the next one. */
  #replace(lease: NamespaceLease): void {
    if (!lease.ended) this.purge();
  }

  /** The verified binding of a live lease. Asks no KMS. Throws `namespace-not-found` and the `binding-…` codes. */
  async binding(signal?: AbortSignal): Promise<VerifiedBinding> {
    return (await this.#lease(signal)).binding;
  }

  /** The same, of a namespace that is in use. Throws `namespace-suspended`, `-shredded`, `-moved` too. */
  async usableBinding(signal?: AbortSignal): Promise<VerifiedBinding> {
    const binding = await this.binding(signal);
    checkUsable(binding.payload);
    return binding;
  }

  #lease(signal?: AbortSignal): Promise<NamespaceLease> {
    return this.#leases.get(this.#leaseKey, (started) => this.#obtain(started), signal);
  }

  async #obtain(started: Moment): Promise<NamespaceLease> {
    const binding = await this.#read();
    if (binding === null) throw notFound(this.subject);
    const lease: NamespaceLease = new NamespaceLease(
      this.installation,
      this.subject,
      binding,
      started,
      () => {
        this.#replace(lease);
      },
    );
    return lease;
  }

  #read(): Promise<VerifiedBinding | null> {
    return this.installation.chains.read(this.subject, { instance: this.#instance });
  }

  /**
   * Runs `use` with the keys of a generation, or of the active one, under a live lease of a namespace that is in use.
   * `use` is synchronous, so that the keys cannot be zeroed under its hands, and must not keep them. A number that the
   * binding does not list is an {@link IntegrityFailure}.
   */
  async withKeys<T>(
    generation: number | 'active',
    use: (keys: GenerationKeys, binding: VerifiedBinding) => T,
    signal?: AbortSignal,
  ): Promise<T> {
    let missing: WrapMissing | undefined;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const lease = await this.#lease(signal);
      const { payload } = lease.binding;
      checkUsable(payload);
      const newest = activeGeneration(payload)?.number ?? 0;
      const number = generation === 'active' ? newest : generation;
      if (!lists(lease.binding, number)) {
        // Written by a process that saw a rotation before this one did? Only a newer binding can tell.
        const plausible = number > newest && number <= newest + maxRotations;
        const newer = plausible
          ? await withSignal(
              lease.newer(() => this.#read()),
              signal,
            )
          : null;
        if (newer === null || !lists(newer, number)) throw new IntegrityFailure('unknown generation');
        this.#replace(lease);
        continue;
      }
      try {
        const keys = await withSignal(lease.keys(number), signal);
        if (!lease.ended) return use(keys, lease.binding);
      } catch (error) {
        if (!(error instanceof WrapMissing)) throw error;
        missing = error;
        this.#replace(lease);
      }
    }
    throw (
      missing?.toError() ??
      new KeyboundError(
        'unavailable',
        `namespace ${this.subject.namespace}: its lease ended ${String(attempts)} times while its keys were being unwrapped; repeat`,
        { details: { ...this.subject } },
      )
    );
  }

  /** Says whose data an error is about, where what found the fault could not know. */
  attribute(kind: IntegrityKind, name: string, error: unknown): unknown {
    if (!(error instanceof KeyboundError) || !nameless.includes(error.code)) return error;
    if ('namespace' in error.details) return error;
    return new KeyboundError(
      error.code,
      `namespace ${this.subject.namespace}: ${kind} ${quote(name)}: ${error.message}`,
      { details: { ...error.details, ...this.subject, name }, cause: error.cause },
    );
  }

  /** Reports which check failed to the operator, and gives the caller an error that says no more than that. */
  refuse(kind: IntegrityKind, name: string, error: unknown): unknown {
    if (!(error instanceof IntegrityFailure)) return this.attribute(kind, name, error);
    this.installation.emit({ type: 'integrity-failure', ...this.subject, kind, name, check: error.check });
    return new KeyboundError(
      'integrity-failure',
      `namespace ${this.subject.namespace}: ${kind} ${quote(name)} is not what was encrypted under this name, context and namespace`,
      { details: { ...this.subject, name } },
    );
  }
}
