import { useCallback, useEffect, useState } from 'react';
import type { CheckRun, CheckState } from '../../../contract/proof.ts';
import { ComingRows } from '../controls/coming.tsx';
import { Glyph } from '../controls/icons.tsx';
import { asDeskError, type DeskError } from '../desk/api.ts';
import { Empty, Failed } from '../overview/states.tsx';
import { timeText } from '../period/words.ts';
import { operator } from './api.ts';

const words = { ok: 'All well', look: 'Worth a look', wrong: 'Something is wrong' } as const;
const glyphs: Record<CheckState, 'ok' | 'idle' | 'bad' | 'off'> = {
  ok: 'ok',
  look: 'idle',
  wrong: 'bad',
  not_run: 'off',
};
const kinds = { daily: 'daily', weekly: 'weekly, all checks', asked: 'asked for, all checks' } as const;
const rank: Record<CheckState, number> = { wrong: 0, look: 1, not_run: 2, ok: 3 };

/** What the desk found when it last looked at itself, and in the runs before. */
export function SelfChecks() {
  const [runs, setRuns] = useState<CheckRun[]>();
  const [problem, setProblem] = useState<DeskError>();
  const [isRunning, setRunning] = useState(false);
  const load = useCallback(() => {
    setProblem(undefined);
    operator.runs().then(setRuns, (error: unknown) => setProblem(asDeskError(error)));
  }, []);
  useEffect(load, [load]);
  async function prove() {
    setRunning(true);
    try {
      await operator.prove();
      load();
    } catch (error) {
      setProblem(asDeskError(error));
    } finally {
      setRunning(false);
    }
  }
  const [newest, ...before] = runs ?? [];
  return (
    <>
      <div className="op-top">
        <p className="op-lead">
          Once a day the desk looks at itself, once a week at everything. What it found is signed and kept for a year; a
          check that turns red is told once, by mail and under the bell.
        </p>
        <button type="button" className="btn" onClick={() => void prove()} disabled={isRunning}>
          {isRunning ? 'Running every check…' : 'Run live checks'}
        </button>
      </div>
      <section className="panel" aria-label="The newest run" aria-busy={runs === undefined || isRunning}>
        {problem !== undefined ? (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={load}
            what="The live checks could not be read."
          />
        ) : runs === undefined ? (
          <ComingRows what="the live checks" rows={7} />
        ) : newest === undefined ? (
          <Empty title="The desk has not looked yet.">
            The first run comes ten minutes after the start. fairlead prove runs every check at once.
          </Empty>
        ) : (
          <>
            <h2 className="op-head">
              <Glyph state={glyphs[newest.worst]} />
              {words[newest.worst]}
              <time dateTime={newest.made_at}>{timeText(newest.made_at)}</time>
              <small>{kinds[newest.kind]}</small>
            </h2>
            <Findings of={newest} />
          </>
        )}
      </section>
      {before.length > 0 && (
        <section className="panel op-before" aria-label="Earlier runs">
          {before.map((one) => (
            <details key={one.id}>
              <summary>
                <Glyph state={glyphs[one.worst]} />
                <time dateTime={one.made_at}>{timeText(one.made_at)}</time>
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

function Findings({ of: run }: { of: CheckRun }) {
  return (
    <>
      {run.signature === 'broken' && (
        <p className="op-note bad" role="alert">
          <Glyph state="bad" />
          <span>
            <b>This result is not genuine.</b> It was changed after it was signed, so it says nothing: find out who
            could write to the database.
          </span>
        </p>
      )}
      {run.signature === 'gap' && (
        <p className="op-note bad" role="alert">
          <Glyph state="bad" />
          <span>
            <b>A result before this one was taken out.</b> This one holds: find out who could write to the database.
          </span>
        </p>
      )}
      <ul className="op-findings">
        {run.findings
          .toSorted((a, b) => rank[a.state] - rank[b.state])
          .map(({ check, what, state, fact, todo }) => (
            <li key={check}>
              <Glyph state={glyphs[state]} />
              <b>{what}</b>
              <span>
                {fact}
                {todo !== undefined && <small>{todo}</small>}
              </span>
            </li>
          ))}
      </ul>
    </>
  );
}
