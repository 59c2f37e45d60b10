import type { Clock } from '../../platform/clock.ts';
import type { DeliveryCredits } from '../../platform/credits.ts';
import type { Log } from '../../platform/log.ts';
import type { Outbound } from '../../platform/outbound/index.ts';
import type { Postgres } from '../../platform/postgres/index.ts';
import type { Random } from '../../platform/random.ts';
import type { ConnectedAccounts } from '../../platform/subject.ts';
import type { Vault } from '../../platform/vault.ts';
import type { Destination } from '../destinations/destination.ts';
import type { Versions } from '../destinations/index.ts';

/** What sending needs of the house. */
export interface Senders {
  readonly postgres: Pick<Postgres, 'system' | 'tenant'>;
  readonly vault: Pick<Vault, 'open' | 'prepare'>;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly outbound: Pick<Outbound, 'send'>;
  /** By kind of destination the address that stands in for the platform's own; operator environment alone. */
  readonly baseUrls: Readonly<Record<string, string>>;
  /** And the version of its interface; absent where each is the destination's own. */
  readonly versions?: Versions;
  /** A restored desk sends nothing until somebody lets it go on: what was waiting at the backup may have gone out since. */
  readonly isHeld?: () => Promise<boolean>;
  /** Of connections; absent while there are none. */
  readonly connections?: ConnectedAccounts;
  /** What sending costs; absent where it costs nothing. */
  readonly credits?: DeliveryCredits;
}

/** From 0 to 1. */
export function chanceOf(random: Pick<Random, 'bytes'>): number {
  return random.bytes(4).readUInt32LE(0) / 2 ** 32;
}

export interface LaneOf {
  readonly organisationId: number;
  readonly destinationId: number;
}

/** An account as far as it decides what goes to it. */
export interface Target extends LaneOf {
  readonly destination: Destination;
  /** As they are stored; read by `settings` of the destination. */
  readonly settings: Record<string, unknown>;
  readonly testCode: string | undefined;
}

/** An account that is ready to be sent to. */
export interface Account extends Target {
  readonly secret: string | undefined;
  /** The connection that the secret is of, and which one of it. */
  readonly connection: { readonly id: number; readonly version: string } | undefined;
  readonly isDryRun: boolean;
}

/** Why an account is not; `reconnect` and `misconfigured` are told to whoever owns it. */
export type NotReady =
  | { readonly state: 'reconnect' | 'misconfigured'; readonly reason: string }
  | { readonly state: 'away'; readonly reason: string; readonly afterMs: number }
  | { readonly state: 'none' };
