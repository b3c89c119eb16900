import { randomBytes } from 'node:crypto';
import { type ErrorCode, KeyboundError } from '../../src/errors.js';
import { withSignal } from '../../src/internal/signal.js';
import { type CallOptions, type KeyProvider } from '../../src/keys/provider.js';
import { localKeys } from '../../src/keys/providers/local/index.js';

/** How a key answers: as it should, not at all until it is switched again, with bytes that are no secret, or with an error. */
export type KeySwitch = 'on' | 'hung' | 'garbage' | ErrorCode;

export interface SwitchableKeys extends KeyProvider {
  // Properties, so that a test may put others in their place.
  wrap: KeyProvider['wrap'];
  unwrap: KeyProvider['unwrap'];
  /** Calls so far, such as `unwrap local://acme`. */
  readonly calls: string[];
  /** What the keys are made of. */
  readonly material: Readonly<Record<string, Uint8Array>>;
  /** From now on, also for calls that hang. */
  turn(uri: string, to: KeySwitch): void;
}

/** `localKeys` of random bytes, each of which can be disabled, made unavailable or hung, in memory. */
export function switchableKeys(...names: readonly string[]): SwitchableKeys {
  const material = Object.fromEntries(names.map((name) => [name, new Uint8Array(randomBytes(32))]));
  const inner = localKeys(material);
  const switches = new Map<string, KeySwitch>();
  const waiting = new Set<() => void>();
  const calls: string[] = [];

  /** Whether the answer is to be garbage. */
  async function answering(
    operation: string,
    uri: string,
    options: CallOptions | undefined,
  ): Promise<boolean> {
    calls.push(`${operation} ${uri}`);
    for (;;) {
      const now = switches.get(uri) ?? 'on';
      if (now === 'on' || now === 'garbage') return now === 'garbage';
      if (now !== 'hung') throw new KeyboundError(now, `key ${uri}: ${now}`, { details: { key: uri } });
      const turned = new Promise<void>((resolve) => waiting.add(resolve));
      await withSignal(turned, options?.signal);
    }
  }

  return {
    ...inner,
    material,
    calls,
    turn(uri, to) {
      switches.set(uri, to);
      for (const resume of waiting) resume();
      waiting.clear();
    },
    async wrap(uri, secret, context, options) {
      await answering('wrap', uri, options);
      return inner.wrap(uri, secret, context, options);
    },
    async unwrap(uri, blob, context, options) {
      const garbage = await answering('unwrap', uri, options);
      return garbage ? new Uint8Array(31) : inner.unwrap(uri, blob, context, options);
    },
  };
}
