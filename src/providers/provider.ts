import type {
  ConnectionAccount,
  ConnectionProvider,
  ConnectionTarget,
  SignedInProvider,
  TroubleClass,
} from '../../contract/connections.ts';
import type { ConnectionSettings } from '../platform/connection_config.ts';
import type { ProviderClient } from '../platform/sign_in_config.ts';

/**
 * One platform, in one file: it describes requests and reads answers, and never sends anything itself. All of it is pure.
 * What takes several requests is a conversation: it hands out a request and goes on with the answer.
 */
export interface Provider {
  readonly id: ConnectionProvider;
  readonly label: string;
  readonly oauth?: OAuth;
  /** A secret that somebody copies from the platform; nothing is asked of the platform to take it. */
  readonly pasted?: { readonly what: string; readonly where: string };
  /** What its pasted secrets are used at: a change of it pauses them. Of those with `oauth` it is asked of that. */
  readonly hosts?: readonly string[];
  /** Kinds of destinations of the relay that its tokens are sent to. */
  readonly destinations: readonly string[];
}

/** Signing in at a platform, and what is read with what it grants. */
export interface OAuth {
  readonly id: SignedInProvider;
  /** Its row in the register of receivers. */
  readonly receiver: string;
  readonly scopes: readonly Scope[];
  /** What the operator sets, when there is no client. */
  readonly variables: readonly string[];
  /** The addresses that what is granted is used at. */
  at(settings: ConnectionSettings): Readonly<Record<string, string>>;
  /** Undefined while the operator has named none. */
  client(settings: ConnectionSettings): ProviderClient | undefined;
  /** Issuers that an answer may name (RFC 9207). */
  issuers(settings: ConnectionSettings): readonly string[];
  /** Where to send the browser. */
  authorise(ask: AuthorisationAsk): string;
  exchange(ask: ExchangeAsk): Talk<Grant>;
  /** Another token for one that ends; absent where the platform has no way. */
  refresh?(ask: RefreshAsk): Talk<Grant>;
  /** Ends what was granted at the platform; absent where it has no call for it. */
  revoke?(ask: RevokeAsk): Talk<void>;
  /** Can what was granted be renewed without anybody? */
  renews(grant: { hasRefreshToken: boolean }): boolean;
  accounts?(ask: ReadAsk): Talk<ConnectionAccount[]>;
  targets?(ask: TargetsAsk): Talk<Targets>;
}

export interface Scope {
  /** Ours: a word without dots. */
  readonly id: string;
  /** The platform's. */
  readonly scope: string;
  readonly label: string;
  /** A sentence that says what it is needed for. */
  readonly why: string;
  /** Asked for when nothing else is said. */
  readonly first: boolean;
}

interface Ask {
  readonly client: ProviderClient;
  readonly settings: ConnectionSettings;
}
export interface AuthorisationAsk extends Ask {
  readonly redirectUri: string;
  readonly state: string;
  /** PKCE, S256 of the verifier (RFC 7636). */
  readonly challenge: string;
  /** The platform's names. */
  readonly scopes: readonly string[];
}
export interface ExchangeAsk extends Ask {
  readonly redirectUri: string;
  readonly code: string;
  readonly verifier: string;
  readonly nowMs: number;
}
export interface RefreshAsk extends Ask {
  readonly accessToken: string;
  readonly refreshToken: string | undefined;
  readonly nowMs: number;
}
export type RevokeAsk = RefreshAsk;
export interface ReadAsk extends Ask {
  readonly accessToken: string;
  /** What was granted. */
  readonly scopes: readonly string[];
}
export interface TargetsAsk extends ReadAsk {
  readonly account: string;
  readonly through: string | undefined;
}

export interface Targets {
  readonly problems: ConnectionTarget['problems'];
  readonly targets: readonly ConnectionTarget[];
}

/** What a platform granted. Lives as long as the work that asked for it. */
export interface Grant {
  readonly accessToken: string;
  /** Undefined: there is none, or the one at hand goes on. */
  readonly refreshToken?: string;
  /** Undefined: as it was asked for. */
  readonly scopes?: readonly string[];
  /** How long the access token lives; undefined where no end is named. */
  readonly lifeMs?: number;
  /** How long until a person has to authorise again; undefined where no end is named, or where that is as before. */
  readonly authorisedMs?: number;
  /** When to renew, of the age of the token. Half of its life where it is absent. */
  readonly renewAfterMs?: number;
}

export interface ProviderRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly url: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** @property status 0 = no answer came @property body parsed where it is JSON, else text */
export interface ProviderAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: unknown;
}

/** Hands out requests and goes on with their answers. @throws Trouble */
export type Talk<Result> = Generator<ProviderRequest, Result, ProviderAnswer>;

/** What a platform said instead of doing it: its code, never its text, which may quote what was sent. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  readonly class: TroubleClass;
  readonly answer: string;
  /** What was granted is over at the platform: only a person can go on. */
  readonly isOver: boolean;
  /** And that because its time is over; else somebody took it back, or the platform does not say why. */
  readonly isExpired: boolean;
  readonly retryAfterMs: number | undefined;
  constructor(
    troubleClass: TroubleClass,
    answer: string,
    more: { isOver?: boolean; isExpired?: boolean; retryAfterMs?: number | undefined } = {},
  ) {
    super(`${troubleClass}: ${answer}`);
    this.class = troubleClass;
    this.answer = answer.slice(0, 100);
    this.isOver = more.isOver ?? false;
    this.isExpired = more.isExpired ?? false;
    this.retryAfterMs = more.retryAfterMs;
  }
}
