import { type Rng } from '../../support/rng.js';

/** Makes another input of one; `others` is the corpus so far. Gives what it likes: the engine cuts it to the target's limit. */
export type Mutator = (input: Uint8Array, rng: Rng, others: readonly Uint8Array[]) => Uint8Array;

/** One thing that takes bytes, or what is made of bytes, from outside. */
export interface Target {
  /** Kebab-case; names the target in reports and in `found/`. */
  readonly name: string;
  /** Inputs to begin with, at least one. Good ones are accepted by `run`. */
  readonly corpus: readonly Uint8Array[];
  /** What knows how the inputs are built. The byte mutator always takes its turn beside them. */
  readonly mutators?: readonly Mutator[];
  /** @default 64 KiB */
  readonly maxLength?: number;
  /** How often this one runs in the short form; slow targets say less. @default 200 */
  readonly shortRuns?: number;
  /** Errors beside a KeyboundError that are fine. @default none */
  readonly fine?: (error: unknown) => boolean;
  /**
   * Feeds one input. Fine is to resolve, or to reject with a `KeyboundError`. Reject with a {@link Finding} for what was
   * accepted and must not be. The same input must lead to the same result, whatever ran before.
   */
  readonly run: (input: Uint8Array) => Promise<void> | void;
}

/** Made when it is first needed: worlds take time. */
export type MakeTarget = () => Promise<Target> | Target;

/** Something that must not happen, found by a target itself. */
export class Finding extends Error {}

export function must(holds: boolean, what: string): asserts holds {
  if (!holds) throw new Finding(what);
}
