/*
 * Reading a namespace's chain of bindings, from the newest trusted epoch (or 1) until one is absent.
 */
import { type CryptoEngine } from '../crypto/engine.js';
import { type ErrorCode, KeyboundError } from '../errors.js';
import { type EventListener, type EventSubject } from '../events.js';
import { bindingLimits, type BindingPayload, parseBindingPayload } from '../format/binding-payload.js';
import { type NamespaceIdentity } from '../format/identity.js';
import { base64url, fromHex, toHex } from '../internal/bytes.js';
import { getSmall } from '../storage/bytes.js';
import { bindingPlace, bindingsFolder } from '../storage/layout.js';
import { type ObjectStore } from '../storage/store.js';
import { readSignedEpoch, type SignedEpoch } from './jws.js';
import { type PinnedRoot } from './roots.js';
import { EpochVerifier, type Link, refuse } from './verify.js';
import { KnownChains } from './known.js';
import { type Trust, type TrustMarks } from './trust.js';

/** A binding that has been verified, from an epoch that was trusted up to the newest. */
export interface VerifiedBinding {
  readonly payload: BindingPayload;
  readonly trust: Trust;
  /** Key id of the root that signed the newest epoch. */
  readonly root: string;
  readonly identity: NamespaceIdentity;
}

export interface ChainOptions {
  readonly engine: CryptoEngine;
  /** Hex. */
  readonly registry: string;
  readonly roots: ReadonlyMap<string, PinnedRoot>;
  /** Durable ones, beside this process's memory. */
  readonly marks?: TrustMarks | undefined;
  readonly emit: EventListener;
  /** All that are configured. */
  readonly regions: readonly string[];
  /** The store of a region, once it is proven to be there. Rejects with `invalid-argument` for an unknown one. */
  readonly storeOf: (region: string) => Promise<ObjectStore>;
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

/** How often an epoch may turn up just after it was absent: chains grow, but a store that plays is not played with. */
const maxGaps = 8;

/** A chain that passes through a known epoch has it, to the letter. */
function checkAgainst(subject: EventSubject, known: readonly Trust[], { payload, hash }: Link): void {
  if (known.every((one) => one.epoch !== payload.epoch || one.payload === hash)) return;
  throw refuse(
    subject,
    'binding-fork',
    `epoch ${String(payload.epoch)} is not the one that was seen before, or that the given trust names`,
  );
}

export class Chains {
  readonly #options: ChainOptions;
  readonly #verifier: EpochVerifier;
  readonly #known: KnownChains;

  constructor(options: ChainOptions) {
    this.#options = options;
    this.#verifier = new EpochVerifier(options.engine, options.registry, options.roots);
    this.#known = new KnownChains(options.registry, options.marks);
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

  async #read(subject: EventSubject, options: ReadOptions, moves: number): Promise<VerifiedBinding | null> {
    const known = await this.#known.of(subject, options);
    // What the caller trusts is compared with everything since; what this process verified itself need not be again.
    const trust = options.trust === undefined ? known.at(-1) : known[0];
    let link =
      trust === undefined
        ? await this.#first(subject, options, moves)
        : await this.#resume(subject, trust, options, moves);
    if (link === null) return null;
    if (options.instance !== undefined && link.payload.instance !== options.instance) {
      throw this.#instanceChanged(subject, link.payload.instance, options.instance);
    }
    checkAgainst(subject, known, link);
    for (let gaps = 0; ;) {
      const { epoch } = link.payload;
      const next = await this.#fetch(subject, epoch + 1, options.signal);
      if (next !== null) {
        link = await this.#verifier.verifyNext(subject, link, next);
        checkAgainst(subject, known, link);
      } else if (trust !== undefined || !(await this.#goesOn(subject, epoch, gaps++, options.signal))) break;
    }
    const newest = known.at(-1)?.epoch ?? 0;
    if (link.payload.epoch < newest) {
      throw refuse(subject, 'binding-rollback', `epoch ${String(newest)}, which was seen before, is gone`);
    }
    if (link.root.status !== 'active') {
      throw refuse(
        subject,
        'root-not-trusted',
        `the newest epoch, ${String(link.payload.epoch)}, is signed by the retired root ${link.root.kid}`,
      );
    }
    const reached: Trust = { instance: link.payload.instance, epoch: link.payload.epoch, payload: link.hash };
    await this.#known.advance(subject, reached);
    return {
      payload: link.payload,
      trust: reached,
      root: link.root.kid,
      identity: {
        registry: fromHex(this.#options.registry),
        namespace: subject.namespace,
        instance: base64url.decode(link.payload.instance),
        region: subject.region,
      },
    };
  }

  /** Epoch 1, trusted for its root's signature alone, and for the word of the region it moved from. */
  async #first(subject: EventSubject, options: ReadOptions, moves: number, gaps = 0): Promise<Link | null> {
    const epoch = await this.#fetch(subject, 1, options.signal);
    if (epoch === null) {
      return (await this.#goesOn(subject, 0, gaps, options.signal))
        ? this.#first(subject, options, moves, gaps + 1)
        : null;
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
    if (!this.#options.regions.includes(from.region)) {
      throw refuse(
        subject,
        'binding-invalid',
        `it moved from region ${from.region}, which this process does not know: add that region, or give \`trust\``,
      );
    }
    const source = await this.#read(from, { signal: options.signal }, moves + 1);
    const { movedTo } = source?.payload ?? {};
    if (
      source?.payload.instance !== movedFrom.instance ||
      movedTo?.region !== subject.region ||
      movedTo.instance !== link.payload.instance ||
      !(await this.#saidAs(from, source, movedFrom.payload, options.signal))
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

  /**
   * Whether a payload of this hash said what the newest epoch says: its own, or an earlier one of the same final status,
   * which was only signed again since.
   */
  async #saidAs(
    subject: EventSubject,
    newest: VerifiedBinding,
    payload: string,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    let { epoch, previous, status } = newest.payload;
    let hash: string | null = newest.trust.payload;
    while (status === newest.payload.status) {
      if (hash === payload) return true;
      const before = await this.#fetch(subject, epoch - 1, signal);
      // Vouched for by its hash, which a verified epoch names.
      hash = before === null ? null : base64url.encode(this.#options.engine.sha512(before.payload));
      if (before === null || hash !== previous) return false;
      ({ epoch, previous, status } = parseBindingPayload(before.payload));
    }
    return false;
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
      await storeOf(subject.region),
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
  async #goesOn(
    subject: EventSubject,
    last: number,
    gaps: number,
    signal: AbortSignal | undefined,
  ): Promise<boolean> {
    const { registry, storeOf } = this.#options;
    const store = await storeOf(subject.region);
    let cursor: string | undefined;
    do {
      const page = await store.list(bindingsFolder(registry, subject.namespace), {
        ...(cursor === undefined ? {} : { cursor }),
        ...(signal === undefined ? {} : { signal }),
      });
      if (page.entries.some(({ name }) => /^[1-9]\d{0,9}$/.test(name) && Number(name) > last)) {
        if (gaps < maxGaps && (await this.#fetch(subject, last + 1, signal)) !== null) return true;
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
