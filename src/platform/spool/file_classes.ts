/** What a file of the data directory may hold, as the ledger's classes, and how long it may lie there. */
export interface FileClass {
  /** Below the data directory; `*` matches within one segment of the path. */
  path: string;
  classes: readonly `D${number}`[];
  window: string;
  /** Why it is there, for the data map. */
  purpose: string;
}

/** Read by trust/classes, which fails on a file of the data directory that no subject declares. */
export const fileClasses: readonly FileClass[] = [
  {
    path: 'spool/*/*.open',
    classes: ['D2', 'D3'],
    window: 'about a second; during a store outage until it is over',
    purpose: 'acknowledged events that the stores do not have yet',
  },
  {
    path: 'spool/*/*.closed',
    classes: ['D2', 'D3'],
    window: 'about a second; during a store outage until it is over',
    purpose: 'acknowledged events that the stores do not have yet',
  },
  {
    path: 'spool/*/*.progress',
    classes: ['D16'],
    window: 'as long as its segment',
    purpose: 'which sink has confirmed which rows; numbers only',
  },
  {
    path: 'quarantine/*/*.ndjson',
    classes: ['D2', 'D3'],
    window: '7 days',
    purpose: 'rows that a store refused, with the reason',
  },
];
