import type { ProofPage, StandingCheck } from '../../../contract/proof.ts';
import { Link } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { Glyph } from '../controls/icons.tsx';
import { timeText } from '../period/words.ts';
import { checkGlyphs, checkWords } from './words.ts';

const rank: Record<StandingCheck['state'], number> = { wrong: 0, look: 1, ok: 2, not_run: 3 };

/** What the desk found when it last looked at itself, red first. */
export function LiveChecks({ page, isOperator }: { page: ProofPage; isOperator: boolean }) {
  const checks = page.checks.toSorted((a, b) => rank[a.state] - rank[b.state]);
  return (
    <section className="panel pf-live" aria-label="Live checks">
      <h2>Live checks on this desk</h2>
      <ul>
        {checks.map(({ check, what, state, fact, todo }) => (
          <li key={check} className={state}>
            <Glyph state={checkGlyphs[state]} />
            <span className="pf-check">{what}</span>
            <span className="pf-word">{state === 'ok' ? <span className="vh">well</span> : checkWords[state]}</span>
            {(fact !== null || state !== 'ok') && (
              <span className="pf-found">
                {fact ?? 'It is about the machine: whoever runs this desk sees what was found.'}
                {todo !== null && <b className="pf-step">{todo}</b>}
              </span>
            )}
          </li>
        ))}
      </ul>
      <footer>
        <span>
          {page.run === null
            ? 'Not all of them have run yet.'
            : page.run.signature === 'broken'
              ? 'The last run is not genuine: it was changed after it was signed.'
              : page.run.signature === 'gap'
                ? 'A run before the last one was taken out.'
                : `All ran ${timeText(page.run.made_at)}, signed ${page.key_name.slice(0, 8)}`}
        </span>
        {isOperator && (
          <Link className="link" href={pathOf({ page: 'operator', section: 'checks' })}>
            History
          </Link>
        )}
      </footer>
    </section>
  );
}
