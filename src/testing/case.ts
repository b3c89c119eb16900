/** One check of a conformance suite. `run` resolves if the adapter passes and rejects with what it got wrong. */
export interface ConformanceCase {
  readonly name: string;
  run(): Promise<void>;
}
