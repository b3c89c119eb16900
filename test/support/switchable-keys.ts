import { randomBytes } from 'node:crypto';
import { KeyboundError } from '../../src/errors.js';
import { withSignal } from '../../src/internal/signal.js';
import { type CallOptions, type KeyProvider } from '../../src/keys/provider.js';
import { localKeys } from '../../src/keys/providers/local/index.js';

/** How a key answers: as the port's errors say, or not at all until it is switched again. */
export type KeySwitch =
  'on' | 'key-revoked' | 'key-destroyed' | 'access-denied' | 'unavailable' | 'throttled' | 'hung';

export interface SwitchableKeys extends KeyProvider {
  /** Calls of wrap and unwrap so far. */
  readonly calls: number;
  /** What the keys are made of. */
  readonly material: Readonly<Record<string, Uint8Array>>;
  /** From now on, also for calls that hang. */
  turn(name: string, to: KeySwitch): void;
}

/** `localKeys` of random bytes, each of which can be disabled, made unavailable or hung, in memory. */
export function switchableKeys(...names: readonly string[]): SwitchableKeys {
  const material = Object.fromEntries(names.map((name) => [name, new Uint8Array(randomBytes(32))]));
  const inner = localKeys(material);
  const switches = new Map<string, KeySwitch>();
  const waiting = new Set<() => void>();
  let calls = 0;

  async function answering(uri: string, options: CallOptions | undefined): Promise<void> {
    calls++;
    for (;;) {
      const now = switches.get(uri) ?? 'on';
      if (now === 'on') return;
      if (now !== 'hung') throw new KeyboundError(now, `key ${uri}: ${now}`, { details: { key: uri } });
      const turned = new Promise<void>((resolve) => waiting.add(resolve));
      await withSignal(turned, options?.signal);
    }
  }

  return {
    ...inner,
    material,
    get calls() {
      return calls;
    },
    turn(name, to) {
      switches.set(`local://${name}`, to);
      for (const resume of waiting) resume();
      waiting.clear();
    },
    async wrap(uri, secret, context, options) {
      await answering(uri, options);
      return inner.wrap(uri, secret, context, options);
    },
    async unwrap(uri, blob, context, options) {
      await answering(uri, options);
      return inner.unwrap(uri, blob, context, options);
    },
  };
}
