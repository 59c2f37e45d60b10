import type { AccessKind } from './access.ts';
import type { Audit } from './audit.ts';
import type { LiveCheck } from './checks.ts';
import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { ControlCommand } from './control.ts';
import type { DeliveryCredits } from './credits.ts';
import type { Executor } from './executor.ts';
import type { Principal, Route } from './http/route.ts';
import type { FastHandler } from './http/server.ts';
import type { Log } from './log.ts';
import type { Mail } from './mail/index.ts';
import type { Outbound } from './outbound/index.ts';
import type { PersonalDataHolder } from './personal_data.ts';
import type { Postgres } from './postgres/index.ts';
import type { Random } from './random.ts';
import type { SealedFolder } from './sealed_folder.ts';
import type { Sink, Spool } from './spool/index.ts';
import type { Vault } from './vault.ts';
import type { Warehouse } from './warehouse/index.ts';

/** The parts that the platform hands to every subject. Nothing else of the outside world reaches one. */
export interface House {
  config: Config;
  clock: Clock;
  random: Random;
  log: Log;
  postgres: Postgres;
  warehouse: Warehouse;
  spool: Spool;
  outbound: Outbound;
  keys: KeyRing;
  vault: Vault;
  audit: Audit;
  mail: Mail;
  /** Who holds this `Authorization` value? Undefined for nobody; for the collection plane, which has no routes. */
  authenticate(authorization: string | undefined): Promise<Principal | undefined>;
  /** Is nothing to leave yet, because this desk was restored and nobody has let it go on? Absent in parts that run without backups. */
  isOutwardHeld?(): Promise<boolean>;
  /** Tokens of accounts elsewhere that organisations have connected; absent in parts that run without them. */
  connections?: ConnectedAccounts;
  /** What sending conversions costs; absent where the operator has credits off, and nothing is asked or written then. */
  credits?: DeliveryCredits;
}

/**
 * Tokens that are good now. `refusedToken` is asked after the other side did not take one: for another one, or its end.
 * @param version of the one that was not taken: the connection may have another by then
 * @param isExpired the other side said that its time is over
 */
export interface ConnectedAccounts {
  freshToken(organisationId: number, connectionId: number): Promise<ConnectedToken>;
  refusedToken(
    organisationId: number,
    connectionId: number,
    version: string,
    isExpired?: boolean,
  ): Promise<ConnectedToken>;
}
/**
 * `version`: which one of the connection it is, with nothing of the token itself. `reconnect`: somebody has to authorise again;
 * `later`: none is given now. Both with their reason.
 */
export type ConnectedToken =
  | { readonly token: string; readonly version: string }
  | { readonly reconnect: string }
  | { readonly later: string; readonly afterMs: number };

/** Keys of one purpose each, derived from the installation's root key (trust/keys makes it). */
export interface KeyRing {
  /** 32 bytes that belong to one purpose and cannot be computed from another purpose's. */
  derive(purpose: KeyPurpose): Buffer;
  /** HMAC-SHA-256 under the purpose's key: how values are stored that must be found again but never read back. */
  digest(purpose: KeyPurpose, value: string | Buffer): Buffer;
  /** First 8 bytes, in hex, of a digest of the root: tells one key file from another and reveals nothing. */
  fingerprint: string;
  /** The root keys as what wraps other keys (CRY-07). Whatever `derive` gives comes from the first root, for ever. */
  roots: RootKeys;
}

export interface RootKeys {
  /** Fingerprints, oldest first; the last one is what to wrap under next. */
  ids(): readonly string[];
  /** The 32 bytes under which this root wraps; undefined when the key file does not hold it. */
  wrapping(id: string): Buffer | undefined;
}
export type KeyPurpose =
  | 'password'
  | 'access-token'
  | 'refresh-token'
  | 'api-key'
  | 'set-up'
  | 'shield-address'
  | 'goal-undo'
  | 'shield-undo'
  | 'contact-click'
  | 'import-upload'
  | 'foreign-secret'
  | 'vault'
  | 'vault-pepper'
  | 'audit-pseudonym'
  | 'audit-checkpoint'
  | 'one-time-token'
  | 'person-email'
  | 'recovery-code'
  | 'mail-address'
  | 'unsubscribe'
  | 'sign-in-state'
  | 'connection-state'
  | 'identity'
  | 'passkey-person'
  | 'share-link'
  | 'share-session'
  | 'visitor-link'
  | 'throttle'
  | 'relay-source'
  | 'relay-identity'
  | 'relay-event-id'
  | 'relay-pixel'
  | 'relay-upload';

/** A number for `/metrics`, in Prometheus' sense. */
export interface Gauge {
  name: string;
  help: string;
  kind: 'counter' | 'gauge';
  read(): number | { labels: Record<string, string>; value: number }[];
}

export interface RunningSubject {
  routes?: Route[];
  /** Handlers of the collection plane: exact path, raw request, no framework in between. */
  fast?: Record<string, FastHandler>;
  /** The same for all that lies under a path that ends with a slash, where the rest of it is a secret. */
  fastUnder?: Record<string, FastHandler>;
  /** Where closed spool segments go. */
  sinks?: Sink[];
  gauges?: Gauge[];
  /** What ends its stored rows when their window is over. */
  executors?: Executor[];
  /** What it stores about people, for requests of data subjects. */
  holders?: readonly PersonalDataHolder[];
  /** Folders whose files it seals, for scans of the disk. */
  sealed?: readonly SealedFolder[];
  /** What lets somebody into its part, for the review of access. */
  access?: readonly AccessKind[];
  /** What the command line may ask of a running desk. */
  commands?: Record<string, ControlCommand>;
  /** What it looks at on itself while it runs. */
  checks?: readonly LiveCheck[];
  /** What takes its time when much is there, and has to be over before sinks get anything; the desk listens meanwhile. */
  begin?(): Promise<void>;
  /** Drains and closes; called in reverse order of start. */
  stop?(): Promise<void>;
}

export interface Subject {
  name: string;
  /** Directories of dated SQL files. */
  migrations?: { postgres?: URL; warehouse?: URL };
  /** Lanes of the spool that it appends to. */
  lanes?: readonly string[];
  /** Starts timers, loads state, and gives back what the app mounts. */
  start(house: House): Promise<RunningSubject>;
}

/** A subject is plain data; this only checks its shape at compile time. */
export function defineSubject(subject: Subject): Subject {
  return subject;
}
