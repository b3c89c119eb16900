import {
  initRegistry,
  type Keybound,
  type KeyboundEvent,
  type KeyboundOptions,
  type NamespaceDescription,
  openKeybound,
  type RegionOptions,
  type RegistryConfig,
  type SigningOptions,
} from '../../src/index.js';
import { objectsFolder } from '../../src/storage/layout.js';
import { type ObjectKey, type ObjectStore } from '../../src/storage/store.js';
import { memoryStore } from '../../src/storage/stores/memory.js';
import { type SwitchableKeys, switchableKeys } from './switchable-keys.js';

export interface WorldOptions {
  /** @default ['eu'] */
  readonly regions?: readonly string[];
  /** The store of a region. @default a new memory store */
  readonly store?: (region: string) => ObjectStore;
}

/** A registry that was just made, and everything around it that a test may want to touch. */
export interface World {
  readonly keybound: Keybound;
  readonly config: RegistryConfig;
  readonly recovery: Required<SigningOptions>;
  readonly regions: Readonly<Record<string, RegionOptions>>;
  /** `local://service`, `local://recovery`, and those of `acme`, `globex` and `vendor`. */
  readonly keys: SwitchableKeys;
  readonly stores: ReadonlyMap<string, ObjectStore>;
  /** That of the first region. */
  readonly store: ObjectStore;
  /** What `keybound` reported, in order. */
  readonly events: KeyboundEvent[];
  /** Another process on the same stores and keys. */
  another(changes?: Partial<KeyboundOptions>): Keybound;
  /** Where an object of a namespace is stored. */
  placeOf(namespace: NamespaceDescription, name: string): ObjectKey;
}

/** A fresh registry on stores of its own, with keys of random bytes. */
export async function makeWorld(options: WorldOptions = {}): Promise<World> {
  const { regions: names = ['eu'], store: storeOf = () => memoryStore() } = options;
  const keys = switchableKeys('service', 'recovery', 'acme', 'globex', 'vendor');
  const stores = new Map(names.map((name) => [name, storeOf(name)]));
  const [[firstName, store] = []] = stores;
  if (firstName === undefined || store === undefined) throw new Error('a world has at least one region');
  const regions = Object.fromEntries(
    [...stores].map(([name, its]) => [name, { store: its, keyLocations: ['local'] }]),
  );
  const { config, recovery } = await initRegistry({
    region: firstName,
    regions,
    keys: [keys],
    key: 'local://service',
    recoveryKey: 'local://recovery',
  });
  const events: KeyboundEvent[] = [];
  const another = (changes: Partial<KeyboundOptions> = {}): Keybound =>
    openKeybound({ ...config, regions, keys: [keys], ...changes });
  return {
    keybound: another({ onEvent: (event) => events.push(event) }),
    config,
    recovery,
    regions,
    keys,
    stores,
    store,
    events,
    another,
    placeOf: ({ id, instance }, name) => ({ folder: objectsFolder(config.registry, id, instance), name }),
  };
}
