import type { Clock } from '../../platform/clock.ts';
import type { Config } from '../../platform/config.ts';
import type { Log } from '../../platform/log.ts';
import type { Gate } from '../../platform/outbound/index.ts';
import type { Postgres } from '../../platform/postgres/index.ts';
import { judge } from './judge.ts';
import { receiversOf } from './receivers.ts';
import { readStatements, type Statement } from './statements.ts';

/** How long a process may go on with statements that another one has changed. */
const knownMs = 5_000;

export interface RegisterGate {
  gate: Gate;
  /** The mail server is spoken to by its own part of the platform, so its host comes along. */
  mail: (host: string) => ReturnType<Gate>;
  /** Statements are read anew with the next call. */
  forget(): void;
}

/**
 * Holds every call against the register. With no pin the code and the settings decide alone and no store is asked; with one,
 * statements that cannot be read are as good as none, since nothing may go out on a guess.
 */
export function openGate({
  config,
  clock,
  log,
  postgres,
}: {
  config: Config;
  clock: Clock;
  log: Log;
  postgres: Postgres;
}): RegisterGate {
  let known: { atMs: number; statements: ReadonlyMap<string, Statement> } | undefined;

  async function statements(): Promise<ReadonlyMap<string, Statement>> {
    if (config.regions.length === 0) return new Map();
    if (known !== undefined && clock.monotonic() - known.atMs < knownMs) return known.statements;
    try {
      known = { atMs: clock.monotonic(), statements: await postgres.system(readStatements) };
      return known.statements;
    } catch (error) {
      log.error('register.unread', {}, error);
      return new Map();
    }
  }

  return {
    gate: async (call) => judge(receiversOf(config, undefined), await statements(), config.regions, call),
    mail: async (host) =>
      judge(receiversOf(config, host), await statements(), config.regions, { purpose: 'mail', host, receiver: 'mail' }),
    forget() {
      known = undefined;
    },
  };
}
