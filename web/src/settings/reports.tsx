import { useEffect, useState } from 'react';
import type { ReportKind, ReportSubscription } from '../../../contract/reports.ts';
import { FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { zonedText } from '../edge/reader.ts';
import { Failed } from '../overview/states.tsx';
import { Toggle } from './toggle.tsx';

const kinds: readonly { kind: ReportKind; label: string }[] = [
  { kind: 'weekly', label: 'Each Monday, about the week before' },
  { kind: 'monthly', label: 'On the first of each month, about the month before' },
];

/** The reports of a site that the reader gets by mail: their own choice, kept as soon as it is made. */
export function ReportSettings({ site }: { site: Site }) {
  const [chosen, setChosen] = useState<ReportSubscription>();
  const [problem, setProblem] = useState<DeskError>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState<ReportKind>();
  const [sent, setSent] = useState<ReportKind>();
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    let stopped = false;
    setProblem(undefined);
    api.reports(site.domain).then(
      (answer) => {
        if (!stopped) setChosen(answer);
      },
      (error: unknown) => {
        if (!stopped) setProblem(asDeskError(error));
      },
    );
    return () => {
      stopped = true;
    };
  }, [site.domain, attempt]);

  const choose = async (kind: ReportKind, on: boolean) => {
    if (chosen === undefined) return;
    const before = chosen;
    setChosen({ ...chosen, [kind]: on });
    setRefusal(undefined);
    try {
      setChosen(await api.chooseReports(site.domain, { weekly: chosen.weekly, monthly: chosen.monthly, [kind]: on }));
    } catch (error) {
      setChosen(before);
      setRefusal(asDeskError(error));
    }
  };
  const send = async (kind: ReportKind) => {
    setSending(kind);
    setSent(undefined);
    setRefusal(undefined);
    try {
      await api.sendReport(site.domain, kind);
      setSent(kind);
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setSending(undefined);
    }
  };

  return (
    <div className="settings">
      <section id="reports">
        <h2>Reports by mail</h2>
        <p>
          For you alone: numbers, their change and the best lists of this site, at 07:00 in {site.timezone}. One click
          in each mail ends them.
        </p>
        {problem !== undefined ? (
          <Failed
            code={problem.code}
            message={problem.message}
            reference={problem.reference}
            onRetry={() => setAttempt((count) => count + 1)}
            what="Your reports could not be read."
          />
        ) : (
          <div className="form" aria-busy={chosen === undefined}>
            {kinds.map(({ kind, label }) => (
              <div key={kind} className="report-choice">
                <Toggle
                  label={label}
                  help={chosen === undefined ? '…' : dueWords(chosen, kind, site.timezone)}
                  checked={chosen?.[kind] ?? false}
                  onChange={(on) => void choose(kind, on)}
                />
                <span className="go">
                  <a
                    className="btn sm"
                    href={`/api/sites/${encodeURIComponent(site.domain)}/report-preview?kind=${kind}`}
                    target="_blank"
                    rel="noreferrer"
                    aria-label={`Preview the ${kind} report`}
                  >
                    Preview
                  </a>
                  <button
                    type="button"
                    className="btn sm"
                    disabled={chosen?.mail_is_on !== true}
                    aria-label={`Send it to me now: the ${kind} report`}
                    onClick={() => void send(kind)}
                    {...resting(sending === kind)}
                  >
                    {sending === kind ? 'Sending…' : 'Send it to me now'}
                  </button>
                  <span role="status">
                    {sent === kind && (
                      <span className="st ok">
                        <Glyph state="ok" />
                        On its way to you.
                      </span>
                    )}
                  </span>
                </span>
              </div>
            ))}
            <FormError message={refusal?.message} reference={refusal?.reference} />
          </div>
        )}
      </section>
    </div>
  );
}

/** One line whatever it says, so that nothing below moves when the answer comes. */
function dueWords(chosen: ReportSubscription, kind: ReportKind, timezone: string): string {
  return chosen.mail_is_on
    ? `The next is due ${dueText(chosen.next[kind], timezone)}.`
    : 'Kept: this desk sends no mail yet.';
}

function dueText(iso: string, timezone: string): string {
  const day = { weekday: 'short', day: 'numeric', month: 'short' } as const;
  return zonedText(iso, timezone, { ...day, hour: '2-digit', minute: '2-digit' });
}
