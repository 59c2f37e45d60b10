import type { Region, TransferBasis } from '../../../contract/register.ts';
import type { GateRefusal } from '../../platform/outbound/index.ts';
import { mainHost, type ReceiverRow, regionOf, rowOf } from './receivers.ts';
import type { Statement } from './statements.ts';

/** A receiver with what was stated of it. What is stated wins over what the code knows. */
export interface Known {
  row: ReceiverRow;
  /** Undefined where nothing was stated, or for another host than it has now. */
  statement: Statement | undefined;
  legalName: string | null;
  country: string | null;
  basis: TransferBasis | null;
  policyUrl: string | null;
  termsUrl: string | null;
}

export function knownOf(row: ReceiverRow, said: Statement | undefined): Known {
  const statement = said?.host === mainHost(row) ? said : undefined;
  return {
    ...{ row, statement },
    legalName: statement?.legal_name ?? row.legalName ?? null,
    country: statement?.country ?? row.country ?? null,
    basis: statement === undefined ? (row.basis ?? null) : statement.basis,
    policyUrl: statement?.policy_url ?? row.policyUrl ?? null,
    termsUrl: statement?.terms_url ?? row.termsUrl ?? null,
  };
}

/**
 * May this receiver get anything, with this pin? One whose country nobody knows is outside: a pin that lets the unknown
 * through is none.
 *
 * @returns the end of a sentence that says why not; undefined when it may
 */
export function refusedBecause({ row, country, basis }: Known, pinnedTo: readonly Region[]): string | undefined {
  if (row.role === 'own' || row.purposes.length === 0 || pinnedTo.length === 0 || basis !== null) return undefined;
  const where = pinnedTo.map((region) => region.toUpperCase()).join(', ');
  if (country === null)
    return `this desk is pinned to ${where}, and nobody has stated where ${row.label} processes or what a transfer rests on`;
  const region = regionOf(country);
  if (region !== undefined && pinnedTo.includes(region)) return undefined;
  return `this desk is pinned to ${where}, ${row.label} processes in ${country}, and nothing is stated that a transfer rests on`;
}

/** Is there a row for this call, and may it go out? */
export function judge(
  rows: readonly ReceiverRow[],
  statements: ReadonlyMap<string, Statement>,
  pinnedTo: readonly Region[],
  call: { purpose: string; host: string; receiver?: string | undefined },
): GateRefusal | undefined {
  const row = rowOf(rows, call);
  if (row === undefined) return 'not_registered';
  return refusedBecause(knownOf(row, statements.get(row.id)), pinnedTo) === undefined ? undefined : 'region_refused';
}

/** What a row of the register has to say and does not, as ends of a sentence. */
export function missingIn(known: Known, pinnedTo: readonly Region[]): string[] {
  const { row, statement, country, basis } = known;
  if (row.role === 'own') return [];
  const missing: string[] = [];
  const need = (value: unknown, what: string) => {
    if (value === null || value === undefined) missing.push(what);
  };
  need(known.legalName, 'the name of the company');
  need(country, 'the country');
  // Where no pin is set, the region of the contract is the one that the law has one name for.
  const home = pinnedTo.length === 0 ? ['eea'] : pinnedTo;
  const region = country === null ? undefined : regionOf(country);
  if (country !== null && (region === undefined || !home.includes(region))) need(basis, 'what the transfer rests on');
  if (row.role === 'processor' && basis !== 'not_needed') {
    need(statement?.contract, 'the processing contract');
    need(statement?.contract_on, 'the day of that contract');
  }
  need(known.policyUrl, 'the privacy policy');
  need(known.termsUrl, 'the terms');
  need(statement?.checked_on, 'the day on which policy and terms were last read');
  return missing;
}
