import { KeyboundError } from '../../../src/errors.js';
import { getSmall, piece } from '../../../src/storage/bytes.js';
import { type ObjectStore } from '../../../src/storage/store.js';

export const counter = { folder: 'counters', name: 'counter' };

/** Adds one to the counter by reading it and replacing what was read, again and again until that succeeds. */
export async function increment(store: ObjectStore): Promise<void> {
  for (;;) {
    const found = await getSmall(store, counter, 100);
    const next = Number(new TextDecoder().decode(found?.content ?? new Uint8Array(0))) + 1;
    const condition = found === null ? 'absent' : { version: found.version };
    try {
      await store.put(counter, piece(new TextEncoder().encode(String(next))), { if: condition });
      return;
    } catch (error) {
      const lost =
        error instanceof KeyboundError &&
        (error.code === 'precondition-failed' || error.code === 'object-exists');
      if (!lost) throw error;
    }
  }
}
