/*
 * Makes chains of bindings as their signers would, and as a forger might: every epoch, signature and envelope by hand.
 */
import { Chains, type ReadOptions } from '../../src/binding/chain.js';
import { signEpoch, type Signer } from '../../src/binding/jws.js';
import { keyId, pinRoots } from '../../src/binding/roots.js';
import { type TrustMarks } from '../../src/binding/trust.js';
import { signingKeyFromSeed } from '../../src/crypto/ed25519.js';
import { nodeEngine as engine } from '../../src/crypto/node.js';
import { KeyboundError } from '../../src/errors.js';
import { type BindingPayload, encodeBindingPayload } from '../../src/format/binding-payload.js';
import { base64url, fromHex } from '../../src/internal/bytes.js';
import { piece } from '../../src/storage/bytes.js';
import { bindingPlace } from '../../src/storage/layout.js';
import { memoryStore } from '../../src/storage/stores/memory.js';

export interface NamedSigner extends Signer {
  readonly publicKey: string;
}

/** A key pair whose seed is the given byte, 32 times. */
export async function signer(seed: number): Promise<NamedSigner> {
  const { privateKey, publicKey } = await signingKeyFromSeed(new Uint8Array(32).fill(seed));
  return { kid: keyId(engine, publicKey), privateKey, publicKey: base64url.encode(publicKey) };
}

export const registry = '000102030405060708090a0b0c0d0e0f';
export const subject = { namespace: 'acme', region: 'eu' };
const hash = (fill: number): string => base64url.encode(new Uint8Array(64).fill(fill));
export const id = (fill: number): string => base64url.encode(new Uint8Array(16).fill(fill));

/** Epoch 1 of namespace acme, with one generation. */
export function firstPayload(continuity: NamedSigner): BindingPayload {
  return {
    format: 'keybound/v1/binding',
    registry: base64url.encode(fromHex(registry)),
    ...subject,
    instance: id(7),
    epoch: 1,
    previous: null,
    status: 'active',
    owner: 'Acme',
    parent: null,
    approvers: [],
    dataClass: null,
    keyMode: 'namespace',
    policies: [
      { status: 'current', alternatives: [[{ uri: 'local://acme', by: 'owner' }]], ownerCannotRevoke: false },
    ],
    leaseMs: 30_000,
    outageGraceMs: 0,
    createdAt: '2026-01-01T00:00:00.000Z',
    updatedAt: '2026-01-01T00:00:00.000Z',
    generations: [{ number: 1, status: 'active', continuity: continuity.publicKey, wrap: hash(1) }],
    movedTo: null,
    movedFrom: null,
  };
}

export const hashOf = (payload: BindingPayload): string =>
  base64url.encode(engine.sha512(encodeBindingPayload(payload)));

/** The epoch after `previous`, with some members changed. */
export const after = (previous: BindingPayload, change: Partial<BindingPayload> = {}): BindingPayload => ({
  ...previous,
  epoch: previous.epoch + 1,
  previous: hashOf(previous),
  updatedAt: '2026-01-02T00:00:00.000Z',
  ...change,
});

/** `previous` rotated: its active generation becomes decrypt-only, a new one follows. */
export const rotated = (previous: BindingPayload, continuity: NamedSigner): BindingPayload =>
  after(previous, {
    generations: [
      ...previous.generations.map((one) => ({ ...one, status: 'decrypt-only' as const })),
      {
        number: previous.generations.length + 1,
        status: 'active',
        continuity: continuity.publicKey,
        wrap: hash(previous.generations.length + 1),
      },
    ],
  });

/** A store with bindings in it, and readers of it. */
export class Forge {
  readonly stores = { eu: memoryStore(), us: memoryStore() };
  readonly refusals: string[] = [];
  readonly #roots: { publicKey: string; status: 'active' | 'retired' }[];
  /** Durable marks: what outlives a process. */
  readonly marks = new Map<string, string>();

  constructor(...roots: { root: NamedSigner; status: 'active' | 'retired' }[]) {
    this.#roots = roots.map(({ root, status }) => ({ publicKey: root.publicKey, status }));
  }

  /** Puts raw bytes in the place of an epoch, whatever was there. */
  async place(
    epoch: number,
    bytes: Uint8Array,
    at: { namespace: string; region: string } = subject,
  ): Promise<void> {
    const store = at.region === 'us' ? this.stores.us : this.stores.eu;
    await store.put(bindingPlace(registry, at.namespace, epoch), piece(bytes));
  }

  /** Signs and places an epoch where it belongs. */
  async add(payload: BindingPayload, ...signers: Signer[]): Promise<Uint8Array> {
    const bytes = await signEpoch(encodeBindingPayload(payload), signers);
    await this.place(payload.epoch, bytes, payload);
    return bytes;
  }

  async remove(epoch: number): Promise<void> {
    await this.stores.eu.delete(bindingPlace(registry, subject.namespace, epoch));
  }

  /** A process that has seen nothing yet, but for what the durable marks say. */
  reader(marks?: TrustMarks): Chains {
    return new Chains({
      engine,
      registry,
      roots: pinRoots(engine, this.#roots),
      marks,
      regions: ['eu', 'us'],
      emit: (event) => {
        if (event.type === 'binding-refused') this.refusals.push(event.code);
      },
      storeOf: (region) => Promise.resolve(region === 'us' ? this.stores.us : this.stores.eu),
    });
  }

  durable(): TrustMarks {
    return {
      get: (key) => Promise.resolve(this.marks.get(key)),
      set: (key, trust) => {
        this.marks.set(key, trust);
        return Promise.resolve();
      },
    };
  }

  /** The newest epoch a fresh reader believes, or the code with which it refuses. */
  async verdict(options: ReadOptions = {}, reader: Chains = this.reader()): Promise<number | string | null> {
    try {
      return (await reader.read(subject, options))?.payload.epoch ?? null;
    } catch (error) {
      if (error instanceof KeyboundError) return error.code;
      throw error;
    }
  }
}
