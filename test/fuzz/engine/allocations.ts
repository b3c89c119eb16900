/*
 * Counts what is asked of constructors of arrays of bytes and numbers: exact, where the heap's own figures depend on when
 * garbage was collected. Loaded before the code under test.
 */
const sized = [
  'ArrayBuffer',
  'Uint8Array',
  'Uint16Array',
  'Uint32Array',
  'Int32Array',
  'BigUint64Array',
  'Float64Array',
] as const;

let asked = 0;

/** Bytes asked for so far. */
export const bytesAsked = (): number => asked;

function counting(original: object): object {
  const width = 'BYTES_PER_ELEMENT' in original ? Number(original.BYTES_PER_ELEMENT) : 1;
  return new Proxy(original, {
    construct(target, args: unknown[], newTarget) {
      if (typeof args[0] === 'number' && args[0] > 0) asked += args[0] * width;
      // Proxies of constructors are constructors.
      return Reflect.construct(target as new () => object, args, newTarget) as object;
    },
  });
}

for (const name of sized) {
  Object.defineProperty(globalThis, name, { value: counting(globalThis[name]), configurable: true });
}
const buffers: Record<'alloc' | 'allocUnsafe' | 'allocUnsafeSlow', (size: number, ...rest: []) => Buffer> =
  Buffer;
for (const name of ['alloc', 'allocUnsafe', 'allocUnsafeSlow'] as const) {
  const original = buffers[name].bind(Buffer);
  buffers[name] = (size, ...rest) => {
    if (size > 0) asked += size;
    return original(size, ...rest);
  };
}
