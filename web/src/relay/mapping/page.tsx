import { useCallback, useState } from 'react';
import type { Mapping } from '../../../../contract/mapping.ts';
import { pathOf } from '../../address/route.ts';
import { ComingForm } from '../../controls/coming.tsx';
import type { Site } from '../../desk/api.ts';
import { useReading } from '../../desk/reading.ts';
import type { Organisation } from '../../desk/session.tsx';
import { relayOf } from '../api.ts';
import { Instead, RelayFrame } from '../frame.tsx';
import { useFirstRequest } from '../use_first_request.ts';
import { Editor } from './editor.tsx';
import './mapping.css';

/** What do we make of it? The captured request, the conversion, and what goes to each destination. */
export function MappingPage({ site, id }: { site: Site; id: number }) {
  return (
    <RelayFrame site={site} title="Mapping" wide>
      {(organisation, mayChange) => <Loaded site={site} id={id} organisation={organisation} mayChange={mayChange} />}
    </RelayFrame>
  );
}

function Loaded({
  site,
  id,
  organisation,
  mayChange,
}: {
  site: Site;
  id: number;
  organisation: Organisation;
  mayChange: boolean;
}) {
  const [said, setSaid] = useState<string>();
  const { answer, problem, reload } = useReading(
    useCallback(async () => {
      const calls = relayOf(organisation.id);
      const [source, { captures }] = await Promise.all([calls.source(id), calls.captures(id)]);
      const mapping: Mapping =
        source.mapping_version === 0 ? { fields: {} } : (await calls.mapping(id, source.mapping_version)).mapping;
      return { source, captures, mapping };
    }, [organisation.id, id]),
  );
  // Somebody waits here for the first request: it is there as soon as it came.
  useFirstRequest(organisation.id, id, answer !== undefined && answer.captures.length === 0, reload);
  if (problem !== undefined)
    return (
      <div className="wrap relay">
        <Instead
          problem={problem}
          what="source"
          all={{ href: pathOf({ page: 'relay-sources', site: site.domain }), label: 'All sources' }}
          onRetry={reload}
        />
      </div>
    );
  if (answer === undefined)
    return (
      <div className="wrap relay">
        <section className="panel" aria-label="Mapping">
          <ComingForm what="the mapping" fields={6} />
        </section>
      </div>
    );
  return (
    <Editor
      key={answer.source.mapping_version}
      {...{ site, organisation, mayChange, source: answer.source, captures: answer.captures, saved: answer.mapping }}
      said={said}
      onSaved={(words) => {
        setSaid(words);
        reload();
      }}
    />
  );
}
