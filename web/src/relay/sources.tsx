import { useCallback, useState } from 'react';
import type { RelayPreset, RelaySource } from '../../../contract/relay_settings.ts';
import { Link, navigate } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { ComingRows } from '../controls/coming.tsx';
import { Icon } from '../controls/icons.tsx';
import type { Site } from '../desk/api.ts';
import { useReading } from '../desk/reading.ts';
import type { Organisation } from '../desk/session.tsx';
import { exactCount } from '../numbers/format.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { type MadeSource, relayOf, type SourceList } from './api.ts';
import { RelayFrame } from './frame.tsx';
import { MadeAddress } from './made.tsx';
import { NewSource } from './new_source.tsx';
import { StateWord } from './state.tsx';
import { sourceKindWords, whenText } from './words.ts';

/** What comes in? Every source with what it brought lately. */
export function SourcesPage({ site }: { site: Site }) {
  return (
    <RelayFrame site={site} title="Sources">
      {(organisation, mayChange) => <Sources site={site} organisation={organisation} mayChange={mayChange} />}
    </RelayFrame>
  );
}

function Sources({ site, organisation, mayChange }: { site: Site; organisation: Organisation; mayChange: boolean }) {
  const { answer, problem, reload } = useReading(
    useCallback(() => relayOf(organisation.id).sources(), [organisation.id]),
  );
  const [isAdding, setAdding] = useState(false);
  const [made, setMade] = useState<MadeSource>();
  const add = () => setAdding(true);
  return (
    <>
      <div className="rl-top">
        <p className="rl-answer">{answer === undefined ? (problem === undefined ? '…' : '') : answerText(answer)}</p>
        {mayChange && answer !== undefined && answer.sources.length > 0 && (
          <button type="button" className="btn main-act" onClick={add}>
            <Icon name="plus" />
            Add a source
          </button>
        )}
      </div>
      {made !== undefined && (
        <MadeAddress made={made} preset={presetOf(answer, made.source)} onHide={() => setMade(undefined)}>
          <Link className="btn sm" href={pathOf({ page: 'relay-mapping', site: site.domain, source: made.source.id })}>
            {made.source.mapping_version === 0 ? 'Map its requests' : 'See its mapping'}
          </Link>
        </MadeAddress>
      )}
      <section className="panel" aria-label="Sources">
        {problem !== undefined ? (
          <Failed {...problem} onRetry={reload} what="The sources could not be read." />
        ) : answer === undefined ? (
          <ComingRows
            what="the sources"
            heads={['Source', 'State', 'Last request', 'Requests today', 'Unmapped']}
            lines={2}
          />
        ) : answer.sources.length === 0 ? (
          <Empty
            title="No source yet."
            action={
              mayChange ? (
                <button type="button" className="btn main-act" onClick={add}>
                  Add a source
                </button>
              ) : undefined
            }
          >
            A source has an address of its own, to which a shop, a tracker or your server sends its conversions. Add
            one, send a request to its address, and map what came.
          </Empty>
        ) : (
          <SourceTable sources={answer.sources} presets={answer.presets} site={site} />
        )}
      </section>
      {isAdding && answer !== undefined && (
        <NewSource
          organisation={organisation}
          site={site}
          presets={answer.presets}
          onMade={(source) => {
            // What gets no requests has no address to be copied: it goes on where its files are dropped.
            if (source.address === null)
              return navigate(pathOf({ page: 'relay-source', site: site.domain, source: source.source.id }));
            setAdding(false);
            setMade(source);
            reload();
          }}
          onClose={() => setAdding(false)}
        />
      )}
    </>
  );
}

function presetOf(list: SourceList | undefined, source: RelaySource): RelayPreset | undefined {
  return list?.presets.find(({ id }) => id === source.preset);
}

function answerText({ sources }: SourceList): string {
  if (sources.length === 0) return 'Nothing comes in yet.';
  const unmapped = sources.reduce((sum, one) => sum + one.unmapped, 0);
  const told = sources.reduce((sum, one) => sum + one.conversions_today, 0);
  const conversions = `${exactCount(told)} ${told === 1 ? 'conversion' : 'conversions'} came in today.`;
  if (unmapped === 0) return `${conversions} Every request could be read.`;
  return `${conversions} Of ${exactCount(unmapped)} ${unmapped === 1 ? 'request' : 'requests'} nothing could be made yet: they wait for their mapping.`;
}

function SourceTable({
  sources,
  presets,
  site,
}: {
  sources: readonly RelaySource[];
  presets: readonly RelayPreset[];
  site: Site;
}) {
  // What needs somebody stands first.
  const ordered = sources.toSorted((a, b) => Number(b.unmapped > 0) - Number(a.unmapped > 0));
  return (
    <table className="rl-table">
      <thead>
        <tr>
          <th scope="col">Source</th>
          <th scope="col">State</th>
          <th scope="col">Last request</th>
          <th scope="col" className="num">
            Requests today
          </th>
          <th scope="col" className="num">
            Unmapped
          </th>
        </tr>
      </thead>
      <tbody>
        {ordered.map((source) => (
          <tr key={source.id}>
            <td className="rl-what">
              <Link href={pathOf({ page: 'relay-source', site: site.domain, source: source.id })}>
                <b dir="auto">{source.name}</b>
              </Link>
              <span className="q">
                {presets.find(({ id }) => id === source.preset)?.label ?? sourceKindWords[source.kind]}
                {source.site === null ? '' : ` · ${source.site.domain}`}
              </span>
            </td>
            <td data-head="State">
              <StateWord state={source.state} />
            </td>
            <td data-head="Last request">
              {source.last_request_at === null ? (
                <span className="q">none yet</span>
              ) : (
                whenText(source.last_request_at, site.timezone)
              )}
            </td>
            <td className="num" data-head="Requests today">
              {source.requests_today === null ? (
                <span className="q">not known now</span>
              ) : (
                exactCount(source.requests_today)
              )}
            </td>
            <td className="num" data-head="Unmapped">
              {source.unmapped === 0 ? (
                <span className="q">0</span>
              ) : (
                <Link
                  className="link rl-bad"
                  href={pathOf({ page: 'relay-mapping', site: site.domain, source: source.id })}
                >
                  {exactCount(source.unmapped)}
                </Link>
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
