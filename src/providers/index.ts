import { onOrganisationEnds } from '../accounts/index.ts';
import type { House, RunningSubject } from '../platform/subject.ts';
import { connectionExecutor, stepExecutor } from './ageing.ts';
import { openConnect } from './connect.ts';
import { openDisconnect } from './disconnect.ts';
import { openPickers } from './pickers.ts';
import { connectionRoutes } from './routes.ts';
import { openSealedTokens } from './sealed.ts';
import { openSteps } from './steps.ts';
import type { Teller } from './telling.ts';
import { type FreshToken, openTokens } from './tokens.ts';
import { openUpkeep } from './upkeep.ts';

export { type ConnectionUser, onConnection } from './disconnect.ts';
export { providers } from './list.ts';
export type { FreshToken } from './tokens.ts';
export { connectionProblem } from './usable.ts';

export const connectionMigrations = new URL('./migrations/', import.meta.url);

export interface Connections extends RunningSubject {
  /**
   * A token to send with now, renewed first where it is about to end.
   *
   * ```ts
   * const fresh = await connections.freshToken(7, 12);
   * if ('reconnect' in fresh) return pauseLane(fresh.reconnect);
   * ```
   */
  freshToken(organisationId: number, connectionId: number): Promise<FreshToken>;
  /**
   * The platform has refused the token of that version: another one, or the end of the connection. Where the connection has
   * another one by now, it is that. `isExpired`: it said that the time of the token is over.
   */
  refusedToken(organisationId: number, connectionId: number, version: string, isExpired?: boolean): Promise<FreshToken>;
  /** What the timer does, for whoever cannot wait. @returns how many connections were looked at */
  renewDue(): Promise<number>;
  /** Tells owners of what ends soon. */
  remind(): Promise<void>;
}

/** Accounts and secrets of ad platforms that organisations have connected (CRY-02, AUT-07, REL-05, RET-07). */
export function openConnections(house: Omit<House, 'authenticate'>, notices: Teller): Connections {
  const sealed = openSealedTokens(house);
  const steps = openSteps(house);
  const tokens = openTokens(house, notices);
  const connect = openConnect(house, { steps, sealed });
  const pickers = openPickers(house, tokens);
  const disconnect = openDisconnect(house, sealed);
  const upkeep = openUpkeep(house, { tokens, steps, notices });
  const stopEnding = onOrganisationEnds(disconnect.endAll);
  return {
    routes: connectionRoutes(house, { connect, pickers, disconnect }),
    access: [disconnect.access],
    executors: [connectionExecutor(house.postgres), stepExecutor(house.postgres)],
    freshToken: (organisationId, connectionId) => tokens.freshToken(organisationId, connectionId),
    refusedToken: (organisationId, connectionId, version, isExpired) =>
      tokens.freshToken(organisationId, connectionId, { refused: version, isExpired }),
    renewDue: upkeep.renewDue,
    remind: upkeep.remind,
    async begin() {
      upkeep.begin();
    },
    async stop() {
      stopEnding();
      await upkeep.stop();
    },
  };
}
