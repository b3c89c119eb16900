import { KeyboundError } from '../errors.js';
import { type EventSubject } from '../events.js';
import { formatTrust, parseTrust, type Trust, type TrustMarks } from './trust.js';
import { refuse } from './verify.js';

/**
 * What is known of chains: by this process, whatever the durable marks say, of each instance it saw; and by the marks.
 */
export class KnownChains {
  readonly #registry: string;
  readonly #marks: TrustMarks | undefined;
  readonly #seen = new Map<string, Trust>();
  /** The instance seen last, by place. */
  readonly #latest = new Map<string, string>();
  #writing: Promise<void> = Promise.resolve();

  constructor(registry: string, marks: TrustMarks | undefined) {
    this.#registry = registry;
    this.#marks = marks;
  }

  /**
   * All that is known of the instance meant, oldest epoch first. Throws `instance-changed` if no instance was named and
   * what is known is of several.
   */
  async of(
    subject: EventSubject,
    { trust, instance }: { trust?: Trust | undefined; instance?: string | undefined },
  ): Promise<readonly Trust[]> {
    if (trust !== undefined && instance !== undefined && trust.instance !== instance) {
      throw new KeyboundError('invalid-argument', 'expected trust and instance of one instance, got two');
    }
    const place = this.#place(subject);
    const mark = await this.#mark(subject);
    const latest = this.#latest.get(place);
    const wanted = instance ?? trust?.instance ?? latest ?? mark?.instance;
    const others = [latest, mark?.instance].some((one) => one !== undefined && one !== wanted);
    if (instance === undefined && others) {
      throw refuse(
        subject,
        'instance-changed',
        'several instances of it were seen, by this process, its marks or the given trust; name the one that is meant',
      );
    }
    const seen = this.#seen.get(JSON.stringify([place, wanted]));
    return [mark, seen, trust]
      .flatMap((one) => (one !== undefined && one.instance === wanted ? [one] : []))
      .sort((a, b) => a.epoch - b.epoch);
  }

  /** Remembers how far a chain was verified; a slower reader never lowers it. */
  async advance(subject: EventSubject, reached: Trust): Promise<void> {
    const place = this.#place(subject);
    const slot = JSON.stringify([place, reached.instance]);
    if ((this.#seen.get(slot)?.epoch ?? 0) < reached.epoch) this.#seen.set(slot, reached);
    this.#latest.set(place, reached.instance);
    const marks = this.#marks;
    if (marks === undefined) return;
    const write = this.#writing.then(async () => {
      const mark = await this.#mark(subject);
      if (mark?.instance === reached.instance && mark.epoch >= reached.epoch) return;
      await marks.set(place, formatTrust(reached)).catch((error: unknown) => {
        throw failed('kept', subject, error);
      });
    });
    this.#writing = write.catch(() => undefined);
    await write;
  }

  async #mark(subject: EventSubject): Promise<Trust | undefined> {
    try {
      const stored = await this.#marks?.get(this.#place(subject));
      return stored === undefined ? undefined : parseTrust(stored);
    } catch (error) {
      throw failed('read', subject, error);
    }
  }

  #place(subject: EventSubject): string {
    return JSON.stringify([this.#registry, subject.region, subject.namespace]);
  }
}

const failed = (what: string, subject: EventSubject, cause: unknown): KeyboundError =>
  new KeyboundError(
    'misconfigured',
    `namespace ${subject.namespace}: its trust mark could not be ${what}: see what \`marks\` is and what it holds`,
    { details: { ...subject }, cause },
  );
