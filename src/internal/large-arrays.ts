/*
 * What large arrays cost besides the work on them: zeroing what is written next anyway, and collections that come all the
 * sooner the more of them wait for one.
 */

/** From here on, an array counts as large: it takes longer to zero than to ask for one that is not zeroed. */
const large = 4096;

/** An array that may hold whatever was there before. For those who write every byte before anyone else sees it. */
export const unfilled = (length: number): Uint8Array<ArrayBuffer> =>
  typeof Buffer === 'undefined' || length < large
    ? new Uint8Array(length)
    : // Not allocUnsafe(): its arrays may be views of a shared pool.
      new Uint8Array(Buffer.allocUnsafeSlow(length).buffer);

/**
 * For Node 20, whose buffers cannot be given back by themselves: a port takes what is sent through it away from the
 * sender, and one whose other end is closed takes it nowhere.
 */
const nowhere = (): MessagePort => {
  const { port1, port2 } = new MessageChannel();
  port2.close();
  return port1;
};
let drain: MessagePort | undefined;

/**
 * Gives a large array's memory back now rather than at the next collection, where the platform can: it is empty
 * afterwards. For arrays that are in nobody else's hands. Views of a part of something are left alone.
 */
export function release({ buffer, length }: Uint8Array): void {
  if (length < large || buffer.byteLength !== length) return;
  if ('transfer' in buffer) buffer.transfer(0);
  else if (typeof MessageChannel === 'function') (drain ??= nowhere()).postMessage(null, [buffer]);
}
