/** Time, as leases need it. Replaced in tests. */
export interface Clock {
  /** Milliseconds since 1970, by the wall clock. */
  now(): number;
  /** Milliseconds that only rise; may stand still while the machine sleeps. */
  monotonic(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
};

/** A moment by both clocks. */
export interface Moment {
  readonly now: number;
  readonly monotonic: number;
}

export const momentOf = (clock: Clock): Moment => ({ now: clock.now(), monotonic: clock.monotonic() });

/** Time since then, by whichever clock says more: a machine that slept cannot stretch a bound. */
export const elapsedMs = (clock: Clock, since: Moment): number =>
  Math.max(clock.now() - since.now, clock.monotonic() - since.monotonic);
