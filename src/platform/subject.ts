import type { Clock } from './clock.ts';
import type { Config } from './config.ts';
import type { Route } from './http/route.ts';
import type { FastHandler } from './http/server.ts';
import type { Log } from './log.ts';
import type { Outbound } from './outbound/index.ts';
import type { Postgres } from './postgres/index.ts';
import type { Random } from './random.ts';
import type { Sink, Spool } from './spool/index.ts';
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
}

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
  /** Where closed spool segments go. */
  sinks?: Sink[];
  gauges?: Gauge[];
  /** Drains and closes; called in reverse order of start. */
  stop?(): Promise<void>;
}

export interface Subject {
  name: string;
  /** Directories of dated SQL files. */
  migrations?: { postgres?: URL; warehouse?: URL };
  /** Starts timers, loads state, and gives back what the app mounts. */
  start(house: House): Promise<RunningSubject>;
}

/** A subject is plain data; this only checks its shape at compile time. */
export function defineSubject(subject: Subject): Subject {
  return subject;
}
