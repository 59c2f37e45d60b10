import type { Answered } from '../../platform/http/server.ts';
import type { Log } from '../../platform/log.ts';
import type { Operations } from '../../platform/operations.ts';
import type { House, RunningSubject } from '../../platform/subject.ts';
import { operationExecutors } from './ageing.ts';
import { tellingLog } from './jobs.ts';
import { operationOf } from './requests.ts';
import { operationRoutes } from './routes.ts';
import { openWriter } from './writer.ts';

export const operationMigrations = new URL('./migrations/', import.meta.url);

export interface OperationsLog extends Operations {
  /** The log of the desk, with each run of a job noted beside it. */
  telling(log: Log): Log;
  /** An answer of the account plane. */
  answered(answered: Answered): void;
  /** The database is there: what was noted meanwhile is written from now on. */
  open(house: Pick<House, 'postgres' | 'vault' | 'audit' | 'clock'>): RunningSubject;
  /** What the calls of today's API do, in words, for whoever reads a line. */
  know(routes: readonly { method: string; path: string; summary: string }[]): void;
  stop(): Promise<void>;
}

/** What people did, which jobs ran and which calls failed (D16): written in the background, read by role, gone by age. */
export function openOperations({ clock, log }: Pick<House, 'clock' | 'log'>): OperationsLog {
  let house: Pick<House, 'postgres' | 'vault' | 'audit' | 'clock'> | undefined;
  let summaries = new Map<string, string>();
  const writer = openWriter({ clock, log, stores: () => house });
  return {
    note: writer.note,
    telling: (plain) => tellingLog(plain, writer),
    answered(answered) {
      const operation = operationOf(answered);
      if (operation !== undefined) writer.note(operation);
    },
    know(routes) {
      summaries = new Map(routes.map(({ method, path, summary }) => [`${method} ${path}`, summary]));
    },
    open(opened) {
      house = opened;
      return {
        routes: operationRoutes(opened, { writer, summaries: () => summaries }),
        executors: operationExecutors(opened.postgres),
        gauges: writer.gauges,
      };
    },
    stop: writer.stop,
  };
}
