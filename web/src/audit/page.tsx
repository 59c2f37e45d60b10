import { useCallback, useEffect, useState } from 'react';
import type { AuditEntry, auditChain } from '../../../contract/audit.ts';
import { useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { ComingRows } from '../controls/coming.tsx';
import { Icon } from '../controls/icons.tsx';
import { api, asDeskError, type DeskError, type Trail } from '../desk/api.ts';
import type { Organisation } from '../desk/session.tsx';
import { readerZone } from '../edge/reader.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { TrustFrame } from '../trust/trust_frame.tsx';
import { ChainState } from './chain_state.tsx';
import { Entries } from './entries.tsx';
import { Choice, DayChoice, SearchWords } from './filter_parts.tsx';
import { type Filters, filterNames, filterQuery, groupsOf, groupWords, readFilters, setFilters } from './filters.ts';
import './audit.css';

export type Chain = (typeof auditChain)['_zod']['output'];

/** Who did what? Filters in the address, entries newest first, and what shows that none was altered. */
export function AuditPage({ organisation }: { organisation: Organisation }) {
  return (
    <TrustFrame organisation={organisation} title="Audit log" what="the audit log" skipTo="the entries" name="audit">
      <Audit trail={organisation.id} path={pathOf({ page: 'audit', organisation: organisation.slug })} />
    </TrustFrame>
  );
}

/** One trail: of an organisation, or of the desk. */
export function Audit({ trail, path }: { trail: Trail; path: string }) {
  const { search } = useAddress();
  const filters = readFilters(search);
  // Its days are those that its times are shown in.
  const zone = readerZone();
  const query = filterQuery(filters, (filters.from ?? filters.to) === undefined ? undefined : zone);
  const set = (change: Parameters<typeof setFilters>[2]) => setFilters(path, filters, change);
  const { chain, chainProblem, lookAgain } = useChain(trail);
  const { entries, next, problem, isMore, reload, more } = useEntries(trail, query);
  const isFiltered = query !== '';

  return (
    <>
      <ChainState trail={trail} chain={chain} problem={chainProblem} onRetry={lookAgain} query={query} />
      <FilterBar filters={filters} chain={chain} entries={entries} set={set} />
      <section className="panel au-entries" aria-label="Entries" aria-busy={entries === undefined}>
        {problem !== undefined ? (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={reload}
            what="The entries could not be read."
          />
        ) : entries === undefined ? (
          <ComingRows what="the entries" rows={12} />
        ) : entries.length === 0 ? (
          isFiltered ? (
            <Empty
              title="No entry matches these filters."
              action={
                <button
                  type="button"
                  className="btn sm"
                  onClick={() => set(Object.fromEntries(filterNames.map((name) => [name, undefined])))}
                >
                  Remove all filters
                </button>
              }
            >
              Entries are kept for two years, networks for 90 days.
            </Empty>
          ) : (
            <Empty title="Nothing has been written down yet.">
              Each sign-in, invitation, change and export leaves an entry here from now on.
            </Empty>
          )
        ) : (
          <Entries entries={entries} set={set} />
        )}
        {next !== null && entries !== undefined && (
          <footer>
            <button type="button" className="btn sm" onClick={more} disabled={isMore}>
              {isMore ? 'Reading…' : 'Show older entries'}
            </button>
          </footer>
        )}
      </section>
      <p className="au-zone">Times and days are those of {zone}.</p>
    </>
  );
}

const outcomes = [
  ['done', 'Done'],
  ['refused', 'Refused'],
  ['failed', 'Failed'],
] as const;

function FilterBar({
  filters,
  chain,
  entries,
  set,
}: {
  filters: Filters;
  chain: Chain | undefined;
  entries: AuditEntry[] | undefined;
  set: (change: Filters | Record<string, undefined>) => void;
}) {
  const groups = groupsOf(chain?.actions ?? [{ name: `${filters.group ?? ''}.` }]).filter((group) => group !== '');
  return (
    <search className="au-filters" aria-label="Filter the entries">
      <SearchWords label="Search actions and numbers" given={filters.q ?? ''} onSearch={(q) => set({ q })} />
      <Choice
        label="Kind of act"
        all="All acts"
        options={groups.map((group) => [group, groupWords[group] ?? group] as const)}
        value={filters.group}
        onChoose={(group) => set({ group })}
      />
      <Choice
        label="Outcome"
        all="Any outcome"
        options={outcomes}
        value={filters.outcome}
        onChoose={(outcome) => set({ outcome })}
      />
      <DayChoice label={<span>From</span>} value={filters.from} max={filters.to} onChoose={(from) => set({ from })} />
      <DayChoice label={<span>To</span>} value={filters.to} min={filters.from} onChoose={(to) => set({ to })} />
      {filterNames
        .filter((name) => filters[name] !== undefined)
        .map((name) => (
          <span className="chip" key={name}>
            <span className="chip-text">
              <span>{chipWords[name]}</span> {chipValue(name, filters[name] as string, entries)}
            </span>
            <button
              type="button"
              className="chip-x"
              aria-label={`Remove the filter ${chipWords[name]}`}
              onClick={() => set({ [name]: undefined })}
            >
              <Icon name="close" />
            </button>
          </span>
        ))}
    </search>
  );
}

const chipWords: Record<keyof Required<Filters>, string> = {
  q: 'search',
  group: 'kind',
  action: 'action',
  actor: 'who',
  target: 'on',
  outcome: 'outcome',
  from: 'from',
  to: 'to',
};

/** A pseudonym is nothing to read: the name stands on the entries that it chose. */
function chipValue(name: string, value: string, entries: AuditEntry[] | undefined): string {
  if (name === 'group') return groupWords[value] ?? value;
  const [type, id] = value.split(':');
  if (name === 'actor')
    return (
      entries?.find(({ actor }) => actor.type === type && actor.id === id && actor.name !== null)?.actor.name ??
      (type as string)
    );
  if (name === 'target')
    return (
      entries?.flatMap(({ targets }) => targets).find((one) => one.type === type && one.id === id && one.label !== null)
        ?.label ?? value
    );
  return value;
}

function useEntries(trail: Trail, query: string) {
  const [found, setFound] = useState<{
    query: string;
    entries?: AuditEntry[];
    next: number | null;
    problem?: DeskError;
  }>();
  const [attempt, setAttempt] = useState(0);
  const [isMore, setMore] = useState(false);
  useEffect(() => {
    const stop = new AbortController();
    api.audit(trail, query, undefined, stop.signal).then(
      (page) => setFound({ query, ...page }),
      (error: unknown) => {
        if (!stop.signal.aborted) setFound({ query, next: null, problem: asDeskError(error) });
      },
    );
    return () => stop.abort();
  }, [trail, query, attempt]);
  const here = found?.query === query ? found : undefined;
  const more = async () => {
    if (here?.entries === undefined || here.next === null) return;
    setMore(true);
    try {
      const page = await api.audit(trail, query, here.next);
      setFound({ query, entries: [...here.entries, ...page.entries], next: page.next });
    } catch (error) {
      setFound({ query, next: null, problem: asDeskError(error) });
    } finally {
      setMore(false);
    }
  };
  return {
    entries: here?.entries,
    next: here?.next ?? null,
    problem: here?.problem,
    isMore,
    reload: () => {
      setFound(undefined);
      setAttempt((count) => count + 1);
    },
    more: () => void more(),
  };
}

/** The chain is verified a piece at each call: asked again until it is whole. */
function useChain(trail: Trail) {
  const [chain, setChain] = useState<Chain>();
  const [chainProblem, setProblem] = useState<DeskError>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    const stop = new AbortController();
    async function look() {
      try {
        for (let isWhole = false; !isWhole && !stop.signal.aborted; ) {
          const seen = await api.auditChain(trail, stop.signal);
          setChain(seen);
          isWhole = seen.is_whole;
        }
      } catch (error) {
        if (!stop.signal.aborted) setProblem(asDeskError(error));
      }
    }
    void look();
    return () => stop.abort();
  }, [trail, attempt]);
  const lookAgain = useCallback(() => {
    setProblem(undefined);
    setAttempt((count) => count + 1);
  }, []);
  return { chain, chainProblem, lookAgain };
}
