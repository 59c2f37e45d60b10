/**
 * One set of migrations for one engine, a server and a cluster. What they write differently is named in the SQL by a
 * placeholder `{{…}}`; everything else is the same text everywhere:
 *
 * | in the migration                        | embedded, server                 | cluster `c` |
 * |-----------------------------------------|----------------------------------|-------------|
 * | `CREATE TABLE {{table:visits}}`         | `visits`                         | `visits_local ON CLUSTER c` |
 * | `TO {{local:visits}}`                   | `visits`                         | `visits_local` |
 * | `ENGINE = {{engine:MergeTree}}`         | `MergeTree`                      | `ReplicatedMergeTree(path, replica)` |
 * | `{{engine:SummingMergeTree(n)}}`        | `SummingMergeTree(n)`            | `ReplicatedSummingMergeTree(path, replica, n)` |
 * | `SETTINGS {{durable}}`                  | fsync and 10,000 remembered inserts | the same under the replicated name |
 * | `{{distribute:visits:key}};`            | nothing                          | `CREATE TABLE visits ON CLUSTER c AS visits_local ENGINE = Distributed(…, key)` |
 * | `ALTER TABLE {{table:visits}} …`        | `visits`                         | `visits_local ON CLUSTER c` |
 * | `{{altered:visits:ADD COLUMN …}};`      | nothing                          | the same for the Distributed table `visits` |
 */
export function inDialect(sql: string, cluster: string | undefined): string[] {
  const written = sql.replace(/\{\{([a-z]+)(?::([a-z_A-Z0-9]+))?([^}]*)\}\}/g, (whole, kind, name, rest) => {
    const placeholder = placeholders[kind as keyof typeof placeholders];
    if (placeholder === undefined) throw new Error(`The migration has a placeholder that is not known: ${whole}`);
    return placeholder(name ?? '', rest ?? '', cluster);
  });
  return statements(written);
}

const remembered = 10_000;

const placeholders = {
  table: (name: string, _rest: string, cluster: string | undefined) =>
    cluster === undefined ? name : `${name}_local ON CLUSTER ${cluster}`,
  local: (name: string, _rest: string, cluster: string | undefined) => (cluster === undefined ? name : `${name}_local`),
  engine: (name: string, rest: string, cluster: string | undefined) => {
    if (cluster === undefined) return `${name}${rest}`;
    const more = rest.replace(/^\(|\)$/g, '');
    return `Replicated${name}('/clickhouse/tables/{shard}/{database}/{table}', '{replica}'${more === '' ? '' : `, ${more}`})`;
  },
  durable: (_name: string, _rest: string, cluster: string | undefined) =>
    `${cluster === undefined ? 'non_replicated' : 'replicated'}_deduplication_window = ${remembered}, fsync_after_insert = 1, fsync_part_directory = 1`,
  distribute: (name: string, rest: string, cluster: string | undefined) =>
    cluster === undefined
      ? ''
      : `CREATE TABLE ${name} ON CLUSTER ${cluster} AS ${name}_local ENGINE = Distributed('${cluster}', currentDatabase(), '${name}_local', ${rest.replace(/^:/, '')})`,
  altered: (name: string, rest: string, cluster: string | undefined) =>
    cluster === undefined ? '' : `ALTER TABLE ${name} ON CLUSTER ${cluster} ${rest.replace(/^:/, '')}`,
};

/** Splits at semicolons outside of quotes and comments, and leaves out what is empty. */
export function statements(sql: string): string[] {
  const found: string[] = [];
  let text = '';
  // A quoted string, a comment to the end of its line, a semicolon, or a stretch without any of them.
  for (const [piece] of sql.matchAll(/'(?:[^'\\]|\\.|'')*'|--[^\n]*|;|[^';-]+|-/g)) {
    if (piece.startsWith('--')) continue;
    if (piece === ';') {
      found.push(text.trim());
      text = '';
    } else text += piece;
  }
  found.push(text.trim());
  return found.filter((statement) => statement !== '');
}
