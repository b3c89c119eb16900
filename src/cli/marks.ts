import { KeyboundError, type ObjectKey, type TrustMarks } from 'keybound';
import { fileStore } from 'keybound/file';

const folder = 'marks';
/** A mark is an instance, an epoch and a hash. */
const maxLength = 512;

// eslint-disable-next-line @typescript-eslint/require-await -- a source is asynchronous by its type
async function* piece(text: string): AsyncGenerator<Uint8Array> {
  yield new TextEncoder().encode(text);
}

/** The epoch of `<instance>.<epoch>.<hash>`. */
const epochOf = (trust: string): number => Number(trust.split('.')[1] ?? 0);

/** Trust marks in a folder: what one run of the command line has seen, the next one remembers. */
export function fileMarks(path: string): TrustMarks {
  const store = fileStore(path);
  const place = (key: string): ObjectKey => ({ folder, name: key });

  async function read(key: string): Promise<{ trust: string; version: string } | undefined> {
    const found = await store.get(place(key));
    if (found === null) return undefined;
    if (found.size > maxLength) {
      await found.bytes.cancel();
      throw new KeyboundError('misconfigured', `expected trust marks in ${path}, got something longer`);
    }
    const parts: Uint8Array[] = [];
    for await (const part of found.bytes) parts.push(part);
    return { trust: Buffer.concat(parts).toString(), version: found.version };
  }

  return {
    get: async (key) => (await read(key))?.trust,
    set: async (key, trust) => {
      for (;;) {
        const before = await read(key);
        const [instance] = trust.split('.');
        const newer =
          before?.trust.split('.')[0] === instance && epochOf(before?.trust ?? '') >= epochOf(trust);
        if (newer) return;
        const condition = before === undefined ? 'absent' : { version: before.version };
        try {
          await store.put(place(key), piece(trust), { if: condition });
          return;
        } catch (error) {
          const lost = ['object-exists', 'precondition-failed'];
          if (!(error instanceof KeyboundError) || !lost.includes(error.code)) throw error;
        }
      }
    },
  };
}
