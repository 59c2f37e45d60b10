import type { AnswerClass, Conversion, ConversionRefusal } from '../../../contract/conversion.ts';
import type { MatchKey } from '../../../contract/relay_reading.ts';
import type { SettingsFields } from './settings_fields.ts';

/**
 * One ad platform, in one file: it describes requests and reads answers, and never sends anything itself
 * (`platform/outbound` does). All functions are pure.
 */
export interface Destination<Settings = unknown, Identifiers = unknown> {
  /** As it stands in addresses and on the command line, such as `meta-capi`. */
  readonly id: string;
  readonly label: string;
  /**
   * Whose it is, and the host that gets its requests: the register of receivers, the policies and the operator's address in
   * its place are made of it. Absent where the settings name the host.
   */
  readonly receiver?: Receiver;
  /** Of the platform's interface, where its addresses or headers name one: the operator may set another. */
  readonly version?: ApiVersion;
  /** Events of one request at most. */
  readonly batchMax: number;
  /** How old an event may be when it is sent, in milliseconds; undefined where no document says. */
  ageMsMax?(conversion: Conversion): number | undefined;
  /** What the platform's pixel has to be called with to tell of the same event. Absent: it has no pixel that the tracker knows. */
  pixelEvent?(name: string): string;
  /**
   * Its document says that what its pixel or tag tells from a page and what is sent to it count once by the same id: an event of a
   * page goes there under the id that the page gave it. Absent: under a keyed digest, which no other platform was told.
   */
  readonly sharesPageId?: true;
  /** Purposes without which nothing is sent. */
  readonly purposes: readonly ('ad_user_data' | 'ad_personalization')[];
  /** What the report of match quality counts for it: each of these goes along where it is known. Absent: everything. */
  readonly matchesBy?: readonly MatchKey[];
  /**
   * Click ids that no other platform has, by the parameter of a landing page's address: conversions, mappings and the tracker
   * know them from here on. One that is known already stands in `contract/canonical_fields.ts`.
   */
  readonly clickIds?: readonly string[];
  /** It knows no double by what is sent: an attempt whose answer was lost counts twice where the first one had arrived. */
  readonly countsDoubles?: true;
  /** Its settings by their names, for the form; in the form's order. */
  readonly fields: SettingsFields;
  /** Settings of an account, and what its document shows: what goes out and what comes back. Run by `every.test.ts`. */
  readonly examples: Examples;
  /** What it is sent with that is no setting and is kept sealed. Absent where it takes none. */
  readonly secret?: Secret;
  /** @throws SettingsProblem */
  settings(given: unknown): Settings;
  /** What of a person goes there, normalised and hashed as this platform wants it. Made when the conversion is taken, and kept sealed. */
  identify(conversion: Conversion): Identifiers;
  /** Why it cannot go there; undefined where it can. @param now milliseconds since 1970 */
  refuse(item: Item<Identifiers>, settings: Settings, now: number): Refusal | undefined;
  /** Items go in one request only where this is the same of them, such as GA4's client. Absent: any go together. */
  together?(item: Item<Identifiers>): string;
  /**
   * One request for items that are not refused and go together, at most `batchMax`. Secrets are not in it: `outbound` adds them.
   * @param version the operator's; without it the file's own
   */
  build(items: readonly Item<Identifiers>[], settings: Settings, now: number, version?: string): OutgoingRequest;
  /** What an answer means; unknown ones are tried again. @param asked what is known of the request, where the answer alone does not say it */
  read(answer: Answer, asked?: Asked): Verdict;
  /** Where its token or secret goes when a request is sent. */
  readonly credential: Credential;
  /** Requests that an account may get, at most; the platform's own number where a document has one, else ours. */
  readonly rate: Rate;
  /** The setting that the platform event of a route stands in for, such as a conversion action. Absent: it is the name of the event. */
  readonly eventSetting?: string;
  /** Which of its settings are chosen from the lists of a connected account. Absent: they are written, and no sign-in sends there. */
  readonly picks?: Picks;
  /** Of an order that is taken back in part it is told what remains, and not what was taken back. */
  readonly asksForRest?: true;
  /** The settings under which the platform takes what is sent as a test. Absent: it has no such mode. */
  asTest?(settings: Settings, code: string): Settings;
  /** The request that the platform only checks. Absent: it cannot. */
  asDryRun?(request: OutgoingRequest): OutgoingRequest;
  /** What a platform that takes requests first and looks at them later is asked for its result. */
  readonly later?: LaterResult;
}

/**
 * @property label in the register, where the destination's own is too long
 * @property variable of the operator's address, where it is not `FAIRLEAD_RELAY_<ID>_URL`
 */
export interface Receiver {
  readonly label?: string;
  readonly host: string;
  readonly variable?: string;
  readonly legalName: string;
  readonly policyUrl?: string;
  readonly termsUrl?: string;
}

/**
 * @property standard what is asked for while the operator says nothing: what the file was read against
 * @property is its shape; it stands in an address or a header as it is
 * @property variable the operator's setting, where it is not `FAIRLEAD_<ID>_VERSION`
 */
export interface ApiVersion {
  readonly standard: string;
  readonly is: RegExp;
  readonly variable?: string;
}

/** @property pasted how a connection is made of it, where nobody signs in at the platform; with that it is a file of `src/providers` */
export interface Secret {
  readonly label: string;
  readonly what: string;
  readonly pasted?: { readonly platform: string; readonly what: string; readonly where: string };
}

/** Parts of a request that are not named may be anything. Times are ISO text. */
export interface Examples {
  readonly settings: Readonly<Record<string, string>>;
  readonly sent?: readonly {
    readonly says: string;
    readonly now: string;
    readonly conversion: object;
    readonly becomes: { readonly request: Partial<OutgoingRequest> } | { readonly rejected: Refusal };
  }[];
  readonly read?: readonly {
    readonly says: string;
    readonly answer: { readonly status: number; readonly body: unknown };
    readonly becomes: Pick<Verdict, 'class' | 'reason'>;
  }[];
}

/**
 * Nothing, or a token as `Authorization: Bearer`, as a header or a parameter of its own, or a secret that the body is signed with.
 * Parameters stand in the address, which nobody logs here.
 */
export type Credential =
  | { readonly kind: 'none' }
  | { readonly kind: 'bearer' }
  | { readonly kind: 'header'; readonly name: string }
  | { readonly kind: 'query'; readonly name: string }
  | {
      readonly kind: 'signature';
      readonly header: string;
      /** @param body the text that is sent @param secrets two while one is being replaced */
      sign(request: Pick<OutgoingRequest, 'headers'>, body: string, secrets: readonly string[]): string;
    };

/**
 * Settings by their names. @property target what conversions go to, such as a pixel @property account the account that it is
 * in, where that is a setting @property through the account that this one is reached by @property counting how the target counts
 */
export interface Picks {
  readonly target: string;
  readonly account?: string;
  readonly through?: string;
  readonly counting?: string;
}

/** @property perMinute of an account @property perProject of all accounts of this desk together, which share its project at the platform */
export interface Rate {
  readonly perMinute: number;
  readonly perProject?: { readonly perMinute: number; readonly perDay: number };
}

export interface LaterResult {
  /** The platform's number of the request, out of the answer that took it. */
  numberIn(answer: Answer): string | undefined;
  /** What asks. @param version as of requests with events */
  build(number: string, version?: string): OutgoingRequest;
  /** In a line what the answer says of all rows together, codes and counts; undefined while nothing is known yet. */
  describe(answer: Answer): string | undefined;
  /** Of how many of the rows that were sent the answer says that they were not taken, or were there before. */
  refused(answer: Answer, sent: number): number;
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

/**
 * @property sent events of the request @property now milliseconds since 1970, for pauses until a time of day
 * @property version that it was made for
 */
export interface Asked {
  readonly sent?: number;
  readonly now?: number;
  readonly version?: string | undefined;
}

export interface Verdict {
  readonly class: AnswerClass;
  /** The platform's code, such as `190/463`; never its free text, which may quote what was sent. */
  readonly reason: string;
  readonly retryAfterMs?: number;
  /** Of `auth`: the platform says that the time of the token is over, and not that somebody took it back. */
  readonly isExpired?: true;
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
