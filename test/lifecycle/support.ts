import {
  initRegistry,
  type Keybound,
  type KeyboundEvent,
  openKeybound,
  type RegistryConfig,
} from '../../src/index.js';
import { localKeys } from '../../src/keys/providers/local/index.js';
import { type KeyProvider } from '../../src/keys/provider.js';
import { memoryStore } from '../../src/storage/stores/memory.js';
import { type ObjectStore } from '../../src/storage/store.js';
import { KeyboundError, type ErrorCode } from '../../src/errors.js';

/** A provider whose answers can be spoilt: key by key, for wraps and unwraps alike. */
export class Switchboard implements KeyProvider {
  readonly scheme = 'local';
  readonly calls: string[] = [];
  readonly #inner = localKeys(
    Object.fromEntries(
      ['admin', 'recovery', 'acme', 'globex', 'vendor', 'spare'].map((name, i) => [
        name,
        new Uint8Array(32).fill(i + 1),
      ]),
    ),
  );
  readonly #broken = new Map<string, ErrorCode | 'hang' | 'garbage'>();

  /** From now on the key answers like this; `undefined` mends it. */
  answer(uri: string, how: ErrorCode | 'hang' | 'garbage' | undefined): void {
    if (how === undefined) this.#broken.delete(uri);
    else this.#broken.set(uri, how);
  }

  parse: KeyProvider['parse'] = (uri) => this.#inner.parse(uri);
  describe: KeyProvider['describe'] = (uri) => this.#inner.describe(uri);

  wrap: KeyProvider['wrap'] = async (uri, secret, context) => {
    await this.#behave('wrap', uri);
    return this.#inner.wrap(uri, secret, context);
  };

  unwrap: KeyProvider['unwrap'] = async (uri, blob, context) => {
    const how = await this.#behave('unwrap', uri);
    return how === 'garbage' ? new Uint8Array(31) : this.#inner.unwrap(uri, blob, context);
  };

  async #behave(operation: string, uri: string): Promise<string | undefined> {
    this.calls.push(`${operation} ${uri}`);
    const how = this.#broken.get(uri);
    if (how === 'hang') await new Promise(() => undefined);
    if (how === undefined || how === 'garbage' || how === 'hang') return how;
    throw new KeyboundError(how, `key ${uri} says ${how}`, { details: { reason: 'test' } });
  }
}

export interface World {
  readonly keys: Switchboard;
  readonly store: ObjectStore;
  readonly config: RegistryConfig;
  readonly recovery: Awaited<ReturnType<typeof initRegistry>>['recovery'];
  readonly events: KeyboundEvent[];
  /** Another process on the same store: `reader` has no signing key; `through` may spoil its store. */
  process(options?: {
    reader?: boolean;
    through?: ObjectStore;
    signing?: RegistryConfig['signing'];
  }): Keybound;
}

/** A fresh registry with one region on one memory store. */
export async function makeWorld(): Promise<World> {
  const keys = new Switchboard();
  const store = memoryStore();
  const regions = { eu: { store, keyLocations: ['local'] } };
  const { config, recovery } = await initRegistry({
    regions,
    keys: [keys],
    key: 'local://admin',
    recoveryKey: 'local://recovery',
  });
  const events: KeyboundEvent[] = [];
  keys.calls.length = 0;
  return {
    keys,
    store,
    config,
    recovery,
    events,
    process: ({ reader = false, through = store, signing = config.signing } = {}) =>
      openKeybound({
        registry: config.registry,
        roots: config.roots,
        ...(reader ? {} : { signing }),
        regions: { eu: { store: through, keyLocations: ['local'] } },
        keys: [keys],
        onEvent: (event) => events.push(event),
      }),
  };
}

/** The code with which a promise is rejected, or what it resolved to. */
export async function codeOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    (value) => ({ resolved: value }),
    (error: unknown) => (error instanceof KeyboundError ? error.code : error),
  );
}

export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
