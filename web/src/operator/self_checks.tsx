import { useCallback, useEffect, useState } from 'react';
import type { SelfAudit } from '../../../contract/self_audit.ts';
import { timeText } from '../audit/chain_state.tsx';
import { Glyph } from '../controls/icons.tsx';
import { asDeskError, type DeskError } from '../desk/api.ts';
import { readerZone } from '../edge/reader.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { operator } from './api.ts';

const words = { ok: 'All well', look: 'Worth a look', wrong: 'Something is wrong' } as const;
const glyphs = { ok: 'ok', look: 'idle', wrong: 'bad' } as const;

/** What the desk found when it last looked at its own guards, and in the days before. */
export function SelfChecks() {
  const [audits, setAudits] = useState<SelfAudit[]>();
  const [problem, setProblem] = useState<DeskError>();
  const load = useCallback(() => {
    setProblem(undefined);
    operator.selfAudits().then(setAudits, (error: unknown) => setProblem(asDeskError(error)));
  }, []);
  useEffect(load, [load]);
  const zone = readerZone();
  const [newest, ...before] = audits ?? [];
  return (
    <>
      <p className="op-lead">
        Once a day the desk looks at its own guards: disk, data directory, key file, clock, proxy, certificate, row
        security and data classes. What it found is kept for a year.
      </p>
      <section className="panel" aria-label="The newest look" aria-busy={audits === undefined}>
        {problem !== undefined ? (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={load}
            what="The self-checks could not be read."
          />
        ) : audits === undefined ? (
          <div className="empty">…</div>
        ) : newest === undefined ? (
          <Empty title="The desk has not looked yet.">
            The first look comes ten minutes after the start. fairlead doctor looks at once.
          </Empty>
        ) : (
          <>
            <h2 className="op-head">
              <Glyph state={glyphs[newest.worst]} />
              {words[newest.worst]}
              <time dateTime={newest.made_at}>{timeText(newest.made_at, zone)}</time>
            </h2>
            <Findings of={newest} />
          </>
        )}
      </section>
      {before.length > 0 && (
        <section className="panel op-before" aria-label="Earlier looks">
          {before.map((one) => (
            <details key={one.made_at}>
              <summary>
                <Glyph state={glyphs[one.worst]} />
                <time dateTime={one.made_at}>{timeText(one.made_at, zone)}</time>
                {words[one.worst]}
              </summary>
              <Findings of={one} />
            </details>
          ))}
        </section>
      )}
    </>
  );
}

function Findings({ of }: { of: SelfAudit }) {
  return (
    <ul className="op-findings">
      {of.findings.map(({ what, state, fact, todo }) => (
        <li key={`${what} ${fact}`}>
          <Glyph state={glyphs[state]} />
          <b>{what}</b>
          <span>
            {fact}
            {todo !== undefined && <small>{todo}</small>}
          </span>
        </li>
      ))}
    </ul>
  );
}
