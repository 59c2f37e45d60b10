import type { ProcessingPurpose } from '../../../contract/consent_records.ts';
import type { Sql } from '../../platform/postgres/index.ts';

/** Whoever keeps bases in memory hears of a change in this process; another process looks again within 15 s. */
const listeners = new Set<() => Promise<void>>();

export function onBasesChanged(listener: () => Promise<void>): () => void {
  listeners.add(listener);
  return () => listeners.delete(listener);
}

export async function basesChanged(): Promise<void> {
  await Promise.all([...listeners].map((listener) => listener()));
}

/** Somebody whom an organisation knows by this digest has said no to a purpose, or taken back what they had allowed. */
export interface Refusal {
  readonly organisationId: number;
  readonly purpose: ProcessingPurpose;
  readonly digest: Buffer;
}
/** Works in the transaction of the record, so that there is no record of a no that was not carried out. */
type OnRefused = (sql: Sql, refusal: Refusal) => Promise<void>;
const onRefusal = new Set<OnRefused>();

export function onRefused(listener: OnRefused): () => void {
  onRefusal.add(listener);
  return () => onRefusal.delete(listener);
}

export async function refused(sql: Sql, refusal: Refusal): Promise<void> {
  for (const listener of onRefusal) await listener(sql, refusal);
}
