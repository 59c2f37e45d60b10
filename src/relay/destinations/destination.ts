import type { AnswerClass, Conversion, ConversionRefusal } from '../../../contract/conversion.ts';

/**
 * One ad platform, in one file: it describes requests and reads answers, and never sends anything itself
 * (`platform/outbound` does). All functions are pure.
 */
export interface Destination<Settings = unknown, Identifiers = unknown> {
  /** As it stands in addresses and on the command line, such as `meta-capi`. */
  readonly id: string;
  readonly label: string;
  /** Events of one request at most. */
  readonly batchMax: number;
  /** How old an event may be when it is sent, in milliseconds; undefined where no document says. */
  ageMsMax?(conversion: Conversion): number | undefined;
  /** Purposes without which nothing is sent. */
  readonly purposes: readonly ('ad_user_data' | 'ad_personalization')[];
  /** @throws SettingsProblem */
  settings(given: unknown): Settings;
  /** What of a person goes there, normalised and hashed as this platform wants it. Made when the conversion is taken, and kept sealed. */
  identify(conversion: Conversion): Identifiers;
  /** Why it cannot go there; undefined where it can. @param now milliseconds since 1970 */
  refuse(item: Item<Identifiers>, settings: Settings, now: number): Refusal | undefined;
  /** Items go in one request only where this is the same of them, such as GA4's client. Absent: any go together. */
  together?(item: Item<Identifiers>): string;
  /** One request for items that are not refused and go together, at most `batchMax`. Secrets are not in it: `outbound` adds them. */
  build(items: readonly Item<Identifiers>[], settings: Settings, now: number): OutgoingRequest;
  /** What an answer means; unknown ones are tried again. @param asked what is known of the request, where the answer alone does not say it */
  read(answer: Answer, asked?: Asked): Verdict;
}

export interface Item<Identifiers = unknown> {
  readonly conversion: Conversion;
  readonly identifiers: Identifiers;
  /** The stable id under which the platform knows it: the same over retries and replays, and for a refund or a restatement that of its order. */
  readonly id: string;
}

export interface Refusal {
  readonly reason: ConversionRefusal;
  /** The canonical name of what is wrong, such as `user.email`. */
  readonly field: string;
}

export interface OutgoingRequest {
  readonly method: 'GET' | 'POST';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** @property status 0 = no answer came */
export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** Parsed where it is JSON, else text. */
  readonly body: unknown;
}

/** @property sent events of the request @property now milliseconds since 1970, for pauses until a time of day */
export interface Asked {
  readonly sent?: number;
  readonly now?: number;
}

export interface Verdict {
  readonly class: AnswerClass;
  /** The platform's code, such as `190/463`; never its free text, which may quote what was sent. */
  readonly reason: string;
  readonly retryAfterMs?: number;
  /** Where the answer says it row by row: the places of rows and what became of each. Others share the class of the whole. */
  readonly rows?: readonly RowVerdict[];
}

export interface RowVerdict {
  readonly index: number;
  readonly class: AnswerClass;
  readonly reason: string;
  readonly retryAfterMs?: number;
}

/** What is wrong with the settings of a destination, in a sentence. */
export class SettingsProblem extends Error {
  /** The setting, such as `dataset_id`; empty for all of them. */
  readonly field: string;

  constructor(sentence: string, field = '') {
    super(sentence);
    this.field = field;
  }
}
