/** The database cannot be used as it is. The message is a sentence for the operator: the fact, then the next step. */
export class PostgresRefused extends Error {
  override readonly name = 'PostgresRefused';
}
