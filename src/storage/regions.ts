import { KeyboundError } from '../errors.js';
import { checkRegion } from '../format/names.js';
import { checkOptions } from '../internal/options.js';
import { quote } from '../internal/quote.js';
import { shape } from '../internal/shape.js';
import { checkedStore } from './checked-store.js';
import { type ObjectStore } from './store.js';

/** One region of an installation: exactly one store, and where keys for it may live. */
export interface RegionOptions {
  readonly store: ObjectStore;
  /** KMS locations whose keys may be bound here, such as `local`, `aws:eu-west-1`, `gcp:europe-west1`. */
  readonly keyLocations: readonly string[];
}

export interface Region extends RegionOptions {
  readonly name: string;
}

const locationsShape = shape.array(shape.text(/^[a-z0-9][a-z0-9:-]*$/, 'a location'), 1, 256);
const storeMethods = ['describe', 'get', 'head', 'put', 'delete', 'list', 'folders'] as const;

function checkStore(region: string, store: unknown): void {
  const missing = storeMethods.find(
    (method) =>
      typeof store !== 'object' ||
      store === null ||
      typeof (store as Record<string, unknown>)[method] !== 'function',
  );
  if (missing !== undefined) {
    throw new KeyboundError(
      'invalid-argument',
      `expected the store of region ${region} to have a method ${missing}`,
    );
  }
}

/** The regions of one installation. */
export class Regions {
  readonly #regions: ReadonlyMap<string, Region>;
  readonly #proofs = new Map<string, Promise<void>>();

  /** Throws `invalid-argument`. */
  constructor(regions: unknown) {
    if (typeof regions !== 'object' || regions === null || Object.keys(regions).length === 0) {
      throw new KeyboundError(
        'invalid-argument',
        'expected `regions` to name at least one region and its store',
      );
    }
    this.#regions = new Map(
      Object.entries(regions as Record<string, RegionOptions>).map(([name, options]) => {
        checkRegion(name);
        checkOptions(options, `region ${name}`, ['store', 'keyLocations']);
        checkStore(name, options.store);
        const keyLocations = locationsShape(options.keyLocations, `${name}.keyLocations`, (message) => {
          throw new KeyboundError(
            'invalid-argument',
            `${message}: the KMS locations it allows, such as ['local']`,
          );
        });
        return [name, { name, store: checkedStore(name, options.store), keyLocations }];
      }),
    );
  }

  get names(): string[] {
    return [...this.#regions.keys()];
  }

  /** The named region, or the only one. Throws `invalid-argument`. */
  get(name?: string): Region {
    if (name === undefined) {
      const [only, second] = [...this.#regions.values()];
      if (only !== undefined && second === undefined) return only;
      throw new KeyboundError(
        'invalid-argument',
        `expected a region, as there are several: ${this.names.join(', ')}; locate() finds a namespace's`,
      );
    }
    const region = this.#regions.get(checkRegion(name));
    if (region !== undefined) return region;
    throw new KeyboundError(
      'invalid-argument',
      `expected one of the regions ${this.names.join(', ')}, got ${quote(name)}`,
    );
  }

  /** The store of a region, once it is proven. Rejects as {@link get} throws and {@link prove} rejects. */
  async proven(name?: string): Promise<ObjectStore> {
    const region = this.get(name);
    await this.prove(region);
    return region.store;
  }

  /**
   * Asks a region's store, once per process, whether it is where it says and can hold bindings. Throws
   * `region-mismatch` or `store-unsupported`.
   */
  async prove(region: Region): Promise<void> {
    const proof = this.#proofs.get(region.name) ?? proveStore(region);
    this.#proofs.set(region.name, proof);
    try {
      await proof;
    } catch (error) {
      this.#proofs.delete(region.name);
      throw error;
    }
  }
}

async function proveStore({ name, store }: Region): Promise<void> {
  const found = await store.describe();
  if (found.location !== store.location) {
    throw new KeyboundError(
      'region-mismatch',
      `region ${name}: expected its store in ${store.location}, found it in ${found.location}`,
      { details: { region: name, location: found.location } },
    );
  }
  if (!found.conditionalCreate) {
    throw new KeyboundError(
      'store-unsupported',
      `region ${name}: its store cannot create objects conditionally, so it cannot hold bindings`,
      { details: { region: name } },
    );
  }
}
