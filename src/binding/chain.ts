/*
 * Reading a namespace's chain of bindings, from the newest trusted epoch (or 1) until one is absent.
 */
import { type CryptoEngine } from '../crypto/engine.js';
import { type ErrorCode, KeyboundError } from '../errors.js';
import { type EventListener, type EventSubject } from '../events.js';
import { bindingLimits, type BindingPayload } from '../format/binding-payload.js';
import { type NamespaceIdentity } from '../format/identity.js';
import { base64url, fromHex, toHex } from '../internal/bytes.js';
import { getSmall } from '../storage/bytes.js';
import { bindingPlace, bindingsFolder } from '../storage/layout.js';
import { type ObjectStore } from '../storage/store.js';
import { readSignedEpoch, type SignedEpoch } from './jws.js';
import { type PinnedRoot } from './roots.js';
import { EpochVerifier, type Link, refuse } from './verify.js';
import { formatTrust, parseTrust, type Trust, type TrustMarks } from './trust.js';

/** A binding that has been verified, from an epoch that was trusted up to the newest. */
export interface VerifiedBinding {
  readonly payload: BindingPayload;
  readonly trust: Trust;
  readonly identity: NamespaceIdentity;
}

export interface ChainOptions {
  readonly engine: CryptoEngine;
  /** Hex. */
  readonly registry: string;
  readonly roots: ReadonlyMap<string, PinnedRoot>;
  readonly marks: TrustMarks;
  readonly emit: EventListener;
  /** The store of a region. Throws `invalid-argument` for an unknown one. */
  readonly storeOf: (region: string) => ObjectStore;
}

export interface ReadOptions {
  /** What the caller trusts, beside what this process has seen. */
  readonly trust?: Trust | undefined;
  /** The instance the caller means (base64url), if another was seen before. */
  readonly instance?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** So many regions are asked, one after the other, where a namespace came from. */
const maxMoves = 8;

export class Chains {
  readonly #options: ChainOptions;
  readonly #verifier: EpochVerifier;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#verifier = new EpochVerifier(options.engine, options.registry, options.roots);
  }

  /**
   * The newest binding, or null if there is none. Throws the `binding-…` codes, `root-not-trusted` and
   * `instance-changed`; each is reported as an event too.
   */
  async read(subject: EventSubject, options: ReadOptions = {}): Promise<VerifiedBinding | null> {
    try {
      return await this.#read(subject, options, 0);
    } catch (error) {
      if (error instanceof KeyboundError && refusals.includes(error.code)) {
        this.#options.emit({ type: 'binding-refused', ...subject, code: error.code, reason: error.message });
      }
      throw error;
    }
  }

  /** What this process, or its durable marks, has seen of a namespace. */
  async #startingPoint(subject: EventSubject, options: ReadOptions): Promise<Trust | undefined> {
    const stored = await this.#options.marks.get(this.#markKey(subject));
    const mark = stored === undefined ? undefined : parseTrust(stored);
    const meant = options.instance;
    const known = [mark, options.trust].flatMap((one) =>
      one === undefined || (meant !== undefined && meant !== one.instance) ? [] : [one],
    );
    if (known.length < 2) return known[0];
    const [first, second] = known as [Trust, Trust];
    if (first.instance !== second.instance) {
      throw refuse(
        subject,
        'instance-changed',
        'the given trust is of another instance than the one seen before',
      );
    }
    if (first.epoch === second.epoch && first.payload !== second.payload) {
      throw refuse(
        subject,
        'binding-fork',
        `epoch ${String(first.epoch)} is not the one that the given trust names`,
      );
    }
    return first.epoch >= second.epoch ? first : second;
  }

  /** Raises the mark; a slower reader never lowers it. */
  async #advance(subject: EventSubject, reached: Trust): Promise<void> {
    const key = this.#markKey(subject);
    const stored = await this.#options.marks.get(key);
    const mark = stored === undefined ? undefined : parseTrust(stored);
    if (mark?.instance === reached.instance && mark.epoch >= reached.epoch) return;
    await this.#options.marks.set(key, formatTrust(reached));
  }

  #markKey(subject: EventSubject): string {
    return JSON.stringify([this.#options.registry, subject.region, subject.namespace]);
  }

  async #read(subject: EventSubject, options: ReadOptions, moves: number): Promise<VerifiedBinding | null> {
    const trust = await this.#startingPoint(subject, options);
    let link =
      trust === undefined
        ? await this.#first(subject, options, moves)
        : await this.#resume(subject, trust, options, moves);
    if (link === null) return null;
    if (options.instance !== undefined && link.payload.instance !== options.instance) {
      throw this.#instanceChanged(subject, link.payload.instance, options.instance);
    }
    for (;;) {
      const next = await this.#fetch(subject, link.payload.epoch + 1, options.signal);
      if (next !== null) link = await this.#verifier.verifyNext(subject, link, next);
      else if (trust !== undefined || !(await this.#goesOn(subject, link.payload.epoch, options.signal)))
        break;
    }
    if (link.root.status !== 'active') {
      throw refuse(
        subject,
        'root-not-trusted',
        `the newest epoch, ${String(link.payload.epoch)}, is signed by the retired root ${link.root.kid}`,
      );
    }
    const reached: Trust = { instance: link.payload.instance, epoch: link.payload.epoch, payload: link.hash };
    await this.#advance(subject, reached);
    return {
      payload: link.payload,
      trust: reached,
      identity: {
        registry: fromHex(this.#options.registry),
        namespace: subject.namespace,
        instance: base64url.decode(link.payload.instance),
        region: subject.region,
      },
    };
  }

  /** Epoch 1, trusted for its root's signature alone, and for the word of the region it moved from. */
  async #first(subject: EventSubject, options: ReadOptions, moves: number): Promise<Link | null> {
    const epoch = await this.#fetch(subject, 1, options.signal);
    if (epoch === null) {
      return (await this.#goesOn(subject, 0, options.signal)) ? this.#first(subject, options, moves) : null;
    }
    const link = await this.#verifier.verifyRoot(subject, epoch, 1);
    const { movedFrom } = link.payload;
    const others = epoch.signatures.filter((signature) => signature.kid !== link.root.kid);
    if (movedFrom === null) {
      if (others.length > 0) throw this.#verifier.badSignature(subject, 1);
      return link;
    }
    if (moves === maxMoves) {
      throw refuse(
        subject,
        'binding-invalid',
        `it moved more than ${String(maxMoves)} times, or in a circle`,
      );
    }
    const from = { namespace: subject.namespace, region: movedFrom.region };
    const source = await this.#read(from, { signal: options.signal }, moves + 1);
    const { movedTo } = source?.payload ?? {};
    if (
      source?.trust.payload !== movedFrom.payload ||
      source.payload.instance !== movedFrom.instance ||
      movedTo?.region !== subject.region ||
      movedTo.instance !== link.payload.instance
    ) {
      throw refuse(
        subject,
        'binding-invalid',
        `region ${movedFrom.region} does not confirm that it moved from there`,
      );
    }
    await this.#verifier.verifyContinuity(subject, source.payload, epoch, 1, link.root);
    return link;
  }

  /** The trusted epoch, which must still be there, the same to the letter. */
  async #resume(subject: EventSubject, trust: Trust, options: ReadOptions, moves: number): Promise<Link> {
    const epoch = await this.#fetch(subject, trust.epoch, options.signal);
    const link = epoch === null ? null : await this.#verifier.verifyRoot(subject, epoch, trust.epoch);
    if (link?.hash === trust.payload && link.payload.instance === trust.instance) return link;
    const first = link ?? (await this.#first(subject, options, moves));
    if (first !== null && first.payload.instance !== trust.instance) {
      throw this.#instanceChanged(subject, first.payload.instance, trust.instance);
    }
    if (link === null) {
      throw refuse(
        subject,
        'binding-rollback',
        `epoch ${String(trust.epoch)}, which was seen before, is gone`,
      );
    }
    throw refuse(subject, 'binding-fork', `epoch ${String(trust.epoch)} is not the one seen before`);
  }

  async #fetch(
    subject: EventSubject,
    epoch: number,
    signal: AbortSignal | undefined,
  ): Promise<SignedEpoch | null> {
    const { registry, storeOf } = this.#options;
    const stored = await getSmall(
      storeOf(subject.region),
      bindingPlace(registry, subject.namespace, epoch),
      bindingLimits.size,
      signal === undefined ? {} : { signal },
    );
    if (stored === null) return null;
    if (stored.content !== null) return readSignedEpoch(stored.content);
    throw refuse(
      subject,
      'binding-invalid',
      `expected epoch ${String(epoch)} to be at most ${String(bindingLimits.size)} bytes, got ${String(stored.size)}`,
    );
  }

  /**
   * Whether the store lists an epoch after `last` although `last + 1` was absent a moment ago. A chain that simply grew
   * since is read on; a hole in it is `binding-gap`.
   */
  async #goesOn(subject: EventSubject, last: number, signal: AbortSignal | undefined): Promise<boolean> {
    const { registry, storeOf } = this.#options;
    const store = storeOf(subject.region);
    let cursor: string | undefined;
    do {
      const page = await store.list(bindingsFolder(registry, subject.namespace), {
        ...(cursor === undefined ? {} : { cursor }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (page.entries.some(({ name }) => /^[1-9]\d{0,9}$/.test(name) && Number(name) > last)) {
        if ((await this.#fetch(subject, last + 1, signal)) !== null) return true;
        throw refuse(
          subject,
          'binding-gap',
          `epoch ${String(last + 1)} is missing, but later ones are there`,
        );
      }
      cursor = page.cursor;
    } while (cursor !== undefined);
    return false;
  }

  #instanceChanged(subject: EventSubject, got: string, expected: string): KeyboundError {
    const name = (instance: string): string => toHex(base64url.decode(instance));
    return refuse(
      subject,
      'instance-changed',
      `expected instance ${name(expected)}, got ${name(got)}: it was deleted and made again; name the new instance if that was meant`,
    );
  }
}

const refusals: readonly ErrorCode[] = [
  'binding-invalid',
  'binding-fork',
  'binding-rollback',
  'binding-gap',
  'binding-wrong-registry',
  'binding-wrong-namespace',
  'binding-wrong-region',
  'root-not-trusted',
  'instance-changed',
];
