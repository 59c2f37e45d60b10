import type { Evidence, ProvedRequirement } from '../../../contract/proof.ts';
import { Glyph } from '../controls/icons.tsx';
import { timeText } from '../period/words.ts';
import { StateOf } from './state_parts.tsx';
import { type GlyphState, howText, versionText } from './words.ts';

/** Promises under one head. Each opens in place: what keeps it, what shows it, what is missing. */
export function Group({
  title,
  note,
  rows,
  isOpen = false,
}: {
  title: string;
  note: string;
  rows: readonly ProvedRequirement[];
  isOpen?: boolean;
}) {
  return (
    <section className="pf-group" aria-label={title}>
      <h3>
        {title} <small className="pf-note">{note}</small>
      </h3>
      {rows.map((one) => (
        <details key={one.id} id={one.id} className={one.state} open={isOpen}>
          <summary>
            <code>{one.id}</code>
            <span className="p">{one.promise}</span>
            <span className="how">{howText(one)}</span>
            <span className="when">{one.at === null ? '' : timeText(one.at)}</span>
            <StateOf state={one.state} {...(one.earlier !== null && { word: 'To test again' })} />
          </summary>
          <Details of={one} />
        </details>
      ))}
    </section>
  );
}

function Details({ of: one }: { of: ProvedRequirement }) {
  return (
    <dl className="pf-details">
      {one.control !== '' && (
        <>
          <dt>Kept by</dt>
          <dd>{one.control}</dd>
        </>
      )}
      {one.missing !== null && (
        <>
          <dt>Missing</dt>
          <dd>{one.missing}</dd>
        </>
      )}
      {one.capability !== null && (
        <>
          <dt>{one.state === 'later' ? 'Belongs to' : 'The rest belongs to'}</dt>
          <dd>{one.capability}, a capability that is not built yet.</dd>
        </>
      )}
      {one.earlier !== null && (
        <>
          <dt>Not proved now</dt>
          <dd>
            Proved by {versionText(one.earlier.commit)} {timeText(one.earlier.at)}, not yet tested for the version that
            runs. None of its tests failed; they count again once they have run for this version.
          </dd>
        </>
      )}
      <dt>Shown by</dt>
      <dd>
        {one.by !== null && <p>What shows {one.by} shows this too.</p>}
        {one.evidence.length === 0 ? (
          <p>Nothing yet.</p>
        ) : (
          <ul>
            {one.evidence.map((shown) => (
              <Shown key={`${shown.kind} ${shown.file ?? ''} ${shown.title}`} evidence={shown} />
            ))}
          </ul>
        )}
      </dd>
      <dt>Data class</dt>
      <dd>{one.class === 'all' ? 'All' : one.class === 'none' ? 'No personal data' : one.class}</dd>
    </dl>
  );
}

const glyphs: Record<Evidence['state'], GlyphState> = {
  passed: 'ok',
  failed: 'bad',
  not_run: 'off',
  elsewhere: 'off',
  failed_elsewhere: 'off',
};
const kinds: Record<Evidence['kind'], string> = { test: 'Test', proof: 'Proof', live: 'Live check' };

function Shown({ evidence }: { evidence: Evidence }) {
  const { kind, title, file, state, at, commit, seen } = evidence;
  const of = commit === null ? '' : `, commit ${commit.slice(0, 7)}`;
  const when = at === null ? '' : timeText(at);
  return (
    <li>
      <Glyph state={glyphs[state]} />
      <span>
        {kinds[kind]}: {title}
        {kind !== 'live' && <code className="pf-file">{file}</code>}
        {seen !== null && seen !== title && <small className="pf-seen">{seen}</small>}
        <small className="pf-seen">
          {state === 'passed'
            ? `Held ${when}${of}`
            : state === 'failed'
              ? `Failed ${when}${of}`
              : state === 'elsewhere'
                ? `Held ${when} for another version${of}, not yet run for this one`
                : state === 'failed_elsewhere'
                  ? `Failed ${when} for another version${of}, not yet run for this one`
                  : 'Not run on this machine'}
        </small>
      </span>
    </li>
  );
}
