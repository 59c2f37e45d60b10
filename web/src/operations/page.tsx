import { useCallback, useState } from 'react';
import { useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { Choice, DayChoice, SearchWords } from '../audit/filter_parts.tsx';
import { ComingRows } from '../controls/coming.tsx';
import { Glyph, Icon } from '../controls/icons.tsx';
import { useReading } from '../desk/reading.ts';
import type { Organisation } from '../desk/session.tsx';
import { readerZone } from '../edge/reader.ts';
import { exactCount } from '../numbers/format.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { TrustFrame } from '../trust/trust_frame.tsx';
import { type LogOf, operationsPath, readOperations } from './api.ts';
import { type Filters, type filterNames, filterQuery, readFilters, setFilters } from './filters.ts';
import { Lines } from './lines.tsx';
import '../audit/audit.css';
import './operations.css';

/** What was done here, and how it ended: for whoever helps somebody whose work went wrong. */
export function OperationsPage({ organisation }: { organisation: Organisation }) {
  return (
    <TrustFrame
      organisation={organisation}
      title="Operations log"
      what="the operations log"
      skipTo="the lines"
      name="audit"
    >
      <p className="ol-lead">
        What people and keys changed, took away or were refused, and how exports, imports and reports ended. By
        pseudonym: a name stands beside it while its person is a member. Networks are kept for 90 days, lines for twelve
        months.
      </p>
      <Operations of={organisation.id} path={pathOf({ page: 'operations', organisation: organisation.slug })} />
    </TrustFrame>
  );
}

const kinds = [
  ['request', 'Actions'],
  ['job', 'Runs of jobs'],
  ['call', 'Failed calls'],
] as const;
const outcomes = [
  ['done', 'Done'],
  ['refused', 'Refused'],
  ['failed', 'Failed'],
] as const;

/** One log: of an organisation, or of the desk. */
export function Operations({ of, path }: { of: LogOf; path: string }) {
  const { search } = useAddress();
  const filters = readFilters(search);
  // Its days are those that its times are shown in.
  const zone = readerZone();
  const isDays = (filters.from ?? filters.to) !== undefined;
  const query = filterQuery(filters, isDays ? zone : undefined);
  const { answer, problem, reload, set } = useReading(useCallback(() => readOperations(of, query), [of, query]));
  const [isMore, setMore] = useState(false);
  const narrow = (change: Filters) => setFilters(path, { ...filters, ...change });
  const older = async (next: number) => {
    setMore(true);
    const more = await readOperations(of, query, next).catch(() => undefined);
    setMore(false);
    if (more !== undefined && answer !== undefined)
      set({ ...more, lines: [...answer.lines, ...more.lines], people: answer.people });
  };
  const exported = `${operationsPath(of)}/export?${query}${query === '' ? '' : '&'}format=`;
  return (
    <>
      <search className="au-filters ol-filters" aria-label="Filter the lines">
        <SearchWords
          label="Number of a request"
          given={filters.request ?? ''}
          onSearch={(request) => narrow({ request })}
        />
        <Choice
          label="Kind"
          all="All kinds"
          options={of === 'desk' ? kinds : kinds.slice(0, 2)}
          value={filters.kind}
          onChoose={(kind) => narrow({ kind })}
        />
        <Choice
          label="Person"
          all="Anybody"
          options={(answer?.people ?? []).map(({ id, name }) => [`person:${id}`, name] as const)}
          value={filters.actor}
          onChoose={(actor) => narrow({ actor })}
        />
        <Choice
          label="Outcome"
          all="Any outcome"
          options={outcomes}
          value={filters.outcome}
          onChoose={(outcome) => narrow({ outcome })}
        />
        <span className="ol-days">
          <DayChoice
            label={<span>From</span>}
            value={filters.from}
            max={filters.to}
            onChoose={(from) => narrow({ from })}
          />
          <DayChoice label={<span>To</span>} value={filters.to} min={filters.from} onChoose={(to) => narrow({ to })} />
        </span>
        <span className="sp" />
        <span className="ol-exports">
          <a className="btn" href={`${exported}csv`} download>
            Export CSV
          </a>
          <a className="btn" href={`${exported}ndjson`} download>
            Export NDJSON
          </a>
        </span>
        {(['object', 'action', 'actor'] as const)
          .filter((name) => filters[name] !== undefined && !isListed(name, filters, answer?.people))
          .map((name) => (
            <span className="chip" key={name}>
              <span className="chip-text">
                <span>{chipWords[name]}</span> {filters[name]}
              </span>
              <button
                type="button"
                className="chip-x"
                aria-label={`Remove the filter ${chipWords[name]}`}
                onClick={() => narrow({ [name]: '' })}
              >
                <Icon name="close" />
              </button>
            </span>
          ))}
      </search>
      {answer !== undefined && answer.lost > 0 && (
        <p className="ol-lost" role="status">
          <Glyph state="bad" />
          {exactCount(answer.lost)} lines were lost since this process began: the database was away for too long, or
          more came than it could take.
        </p>
      )}
      <section className="panel au-entries" aria-label="Lines" aria-busy={answer === undefined}>
        {problem !== undefined ? (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={reload}
            what="The lines could not be read."
          />
        ) : answer === undefined ? (
          <ComingRows what="the lines" rows={12} />
        ) : answer.lines.length === 0 ? (
          <Nothing isFiltered={query !== ''} clear={() => setFilters(path, {})} />
        ) : (
          <Lines lines={answer.lines} narrow={narrow} />
        )}
        {answer !== undefined && answer.next !== null && (
          <footer>
            <button
              type="button"
              className="btn sm"
              disabled={isMore}
              onClick={() => void older(answer.next as number)}
            >
              {isMore ? 'Reading…' : 'Show older lines'}
            </button>
          </footer>
        )}
      </section>
      <p className="au-zone">Times and days are those of {zone}.</p>
    </>
  );
}

const chipWords = { object: 'on', action: 'action', actor: 'who' } as const;

/** A member who was chosen stands in the choice already. */
function isListed(name: (typeof filterNames)[number], filters: Filters, people: { id: string }[] | undefined): boolean {
  return name === 'actor' && people?.some(({ id }) => `person:${id}` === filters.actor) === true;
}

function Nothing({ isFiltered, clear }: { isFiltered: boolean; clear: () => void }) {
  if (!isFiltered)
    return (
      <Empty title="Nothing has been written down yet.">
        Each change, export and refusal leaves a line here from now on.
      </Empty>
    );
  return (
    <Empty
      title="No line matches these filters."
      action={
        <button type="button" className="btn sm" onClick={clear}>
          Remove all filters
        </button>
      }
    >
      Lines are kept for twelve months. The number of a request is in the text of each fault.
    </Empty>
  );
}
