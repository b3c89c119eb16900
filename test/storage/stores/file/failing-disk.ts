/*
 * A disk that fails, for this process: what it reads and writes through file handles.
 */
import { open } from 'node:fs/promises';

/** The ways of a file handle that the file store and the keyring use. */
interface Ways {
  read: (into: Uint8Array, offset: number, length: number, position: number) => Promise<unknown>;
  write: (from: Uint8Array, offset: number, length: number) => Promise<unknown>;
  writeFile: (from: Uint8Array) => Promise<unknown>;
}

/** Runs `work` while all file handles have other ways, made from their own. */
async function withWays<T>(make: (own: Ways) => Partial<Ways>, work: () => Promise<T>): Promise<T> {
  const handle = await open(__filename);
  await handle.close();
  // All handles have one prototype, and these methods.
  const prototype = Object.getPrototypeOf(handle) as Ways;
  const real = { ...Object.getOwnPropertyDescriptors(prototype) };
  const changed = Object.keys(real).filter(
    (name) => name === 'read' || name === 'write' || name === 'writeFile',
  );
  for (const name of changed) {
    const method: unknown = real[name].value;
    Object.defineProperty(prototype, name, {
      ...real[name],
      value(this: object, ...args: unknown[]) {
        const own = (way: string): unknown => (real[way as keyof Ways].value as () => unknown).bind(this);
        const ways = make({ read: own('read'), write: own('write'), writeFile: own('writeFile') } as Ways);
        const way: unknown = ways[name] ?? method;
        return Reflect.apply(way as () => unknown, this, args) as unknown;
      },
    });
  }
  try {
    return await work();
  } finally {
    Object.defineProperties(prototype, Object.fromEntries(changed.map((name) => [name, real[name]])));
  }
}

function fail(errno: string): never {
  throw Object.assign(new Error(`${errno}: the disk failed`), { code: errno });
}

/** Runs `work` on a disk with room for so many bytes more. */
export function withRoomFor<T>(bytes: number, work: () => Promise<T>): Promise<T> {
  let room = bytes;
  const take = (wanted: number): number => {
    if (room === 0 && wanted > 0) fail('ENOSPC');
    const taken = Math.min(room, wanted);
    room -= taken;
    return taken;
  };
  const ways = (own: Ways): Partial<Ways> => ({
    // As a disk does: it takes a part first, and fails the next time.
    write: async (from, offset, length) => own.write(from, offset, take(length)),
    writeFile: async (from) => {
      const taken = take(from.length);
      await own.writeFile(from.subarray(0, taken));
      if (taken < from.length) fail('ENOSPC');
    },
  });
  return withWays(ways, work);
}

/** Runs `work` on a disk of which nothing from the offset `from` of any file on can be read. */
export function withUnreadable<T>(from: number, work: () => Promise<T>): Promise<T> {
  const ways = (own: Ways): Partial<Ways> => ({
    read: async (into, offset, length, position) =>
      position + length > from ? fail('EIO') : own.read(into, offset, length, position),
  });
  return withWays(ways, work);
}
