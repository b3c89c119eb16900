/*
 * Turns of the event loop. Promises alone do not let it turn, so a stream whose source and reader never wait for anything,
 * such as an array that is encrypted into memory, would keep timers and requests waiting until it ends.
 */

/** All streams together work for so long, and the time of one piece, before others have their turn. */
const turnMs = 2;

// Taken when the module is loaded, so that a test's fake timers do not stop every stream.
const later: (callback: () => void) => unknown =
  typeof setImmediate === 'function' ? setImmediate : (callback) => setTimeout(callback, 0);

const waiting: (() => void)[] = [];
let scheduled = false;
let began = 0;

/** One stream goes on in each turn, so that each of many has as much of them. */
function turn(): void {
  began = performance.now();
  const next = waiting.shift();
  scheduled = next !== undefined;
  if (scheduled) later(turn);
  next?.();
}

/** Waits for another turn of the event loop if this one has lasted long enough. To be awaited between two pieces. */
export function giveWay(): Promise<void> | undefined {
  const now = performance.now();
  if (!scheduled) {
    scheduled = true;
    began = now;
    later(turn);
  }
  if (now - began < turnMs) return undefined;
  return new Promise((resolve) => {
    waiting.push(resolve);
  });
}
