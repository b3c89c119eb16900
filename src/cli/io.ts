import type { Readable, Writable } from 'node:stream';

/** An output, and what is known of the other end. */
export type Output = Writable & { readonly isTTY?: boolean; readonly columns?: number };

/** All that the command line touches of the process it runs in. */
export interface Io {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** What relative paths are relative to. */
  readonly cwd: string;
  /** Aborts when the process is asked to end. */
  readonly signal: AbortSignal;
  /** Asks a person for a secret; undefined where nobody can be asked. */
  readonly askSecret?: (question: string) => Promise<string>;
}

/** Writes, and waits until the other end keeps up. */
export async function write(output: Writable, data: string | Uint8Array): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    output.write(data, (error) => {
      if (error === null || error === undefined) resolve();
      else reject(error);
    });
  });
}
