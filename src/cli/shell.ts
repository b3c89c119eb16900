import { type Io } from './io.js';
import { type Printer } from './output.js';
import { type GlobalOptions, type Setup } from './setup.js';

/** What a command is given to work with. */
export interface Shell {
  readonly io: Io;
  readonly printer: Printer;
  readonly globals: GlobalOptions;
  /** The configuration, read when it is first asked for. */
  readonly setup: () => Promise<Setup>;
  /** Ends with another status than 0, although nothing was thrown. */
  readonly fail: (status: number) => void;
}

/** Runs a command's action with a shell, and reports what it throws. */
export type Run = (action: (shell: Shell) => Promise<void>) => Promise<void>;
