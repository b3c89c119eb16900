import { type Keybound, type KeyboundEvent, KeyboundError, type RegistryConfig } from '../../src/index.js';
import { type ObjectStore } from '../../src/storage/store.js';
import { makeWorld as makeSupportWorld, type World as SupportWorld } from '../support/world.js';

export interface World extends SupportWorld {
  /** Another process on the same store: `reader` has no signing key; `through` may spoil its store. */
  process(options?: {
    reader?: boolean;
    through?: ObjectStore;
    signing?: RegistryConfig['signing'];
  }): Keybound;
}

/** A fresh registry with one region on one memory store, and processes that all report to `events`. */
export async function makeWorld(): Promise<World> {
  const world = await makeSupportWorld();
  const events: KeyboundEvent[] = [];
  world.keys.calls.length = 0;
  return {
    ...world,
    events,
    process: ({ reader = false, through = world.store, signing = world.config.signing } = {}) => {
      const regions = { eu: { store: through, keyLocations: ['local'] } };
      const onEvent = (event: KeyboundEvent): unknown => events.push(event);
      return world.another({ signing: reader ? undefined : signing, regions, onEvent } as object);
    },
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
