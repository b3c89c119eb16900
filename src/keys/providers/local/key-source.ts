/** A key of a source. Its bytes are the source's, and valid only while {@link KeySource.read} runs `use`. */
export type LocalKey =
  | { readonly state: 'enabled' | 'disabled'; readonly key: Uint8Array }
  | { readonly state: 'destroyed'; readonly key: null };

/** The key of that name, or undefined if there is none. */
export type FindKey = (name: string) => LocalKey | undefined;

/** Where a local provider takes its keys from. */
export interface KeySource {
  /** Ends the message "there is no key local://x …": where it was looked for, and what to do. */
  readonly whenUnknown: string;

  /**
   * Runs `use` over the keys as they are now, or throws what keeps them locked. `use` is synchronous: the source may
   * wipe a key as soon as it returns.
   */
  read<T>(signal: AbortSignal | undefined, use: (find: FindKey) => T): Promise<T>;
}
