/** What a start leaves in the data directory (for root: in the server's folder below /var/lib/fairlead too). */
export const postgresFiles: readonly {
  path: string;
  classes: readonly `D${number}`[];
  window: string;
  purpose: string;
}[] = [
  {
    path: 'postgres/credentials.json',
    classes: ['D8'],
    window: 'as long as the database',
    purpose: "random passwords of the built-in server's two logins",
  },
  {
    path: 'postgres/server',
    classes: ['D22'],
    window: 'as long as the database',
    purpose: 'where the server of a data directory of root keeps its files',
  },
  {
    path: 'postgres/belongs-to',
    classes: ['D22'],
    window: 'as long as the database',
    purpose: 'which data directory a server of root serves',
  },
  {
    path: 'postgres/cluster/**',
    classes: ['D7', 'D8', 'D22', 'D25'],
    window: 'the window of each column',
    purpose: 'the tables, whose columns carry their own classes, and their write-ahead log of at most 128 MB',
  },
  {
    path: 'postgres/server.log*',
    classes: ['D16'],
    window: 'the last 2 MB',
    purpose: 'starts, stops and refused logins of the server; no statement and no value',
  },
  { path: 'postgres/socket/**', classes: ['D22'], window: 'while it runs', purpose: 'the socket of the server' },
  {
    path: 'postgres/runtime/**',
    classes: ['D22'],
    window: 'until the next version',
    purpose: 'programs of the server',
  },
];
