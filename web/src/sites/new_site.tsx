import type { FormEvent } from 'react';
import { useState } from 'react';
import { retentionMonthsMax } from '../../../contract/limits.ts';
import { navigate } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { Field, FormError, Select } from '../controls/field.tsx';
import { api, DeskError } from '../desk/api.ts';
import { useDesk } from '../desk/session.tsx';
import {
  browserTimezone,
  CurrencyOptions,
  cleanDomain,
  domainProblem,
  likelyCurrency,
  RetentionOptions,
  TimezoneOptions,
} from '../first_run/choices.tsx';
import { Shell } from '../shell/shell.tsx';

export function NewSitePage() {
  const { keepSite } = useDesk();
  const [domain, setDomain] = useState('');
  const [timezone, setTimezone] = useState(browserTimezone());
  const [currency, setCurrency] = useState(likelyCurrency(navigator.language));
  const [months, setMonths] = useState<number>(retentionMonthsMax);
  const [problem, setProblem] = useState<string>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wrong = domainProblem(domain);
    setProblem(wrong);
    setRefusal(undefined);
    if (wrong !== undefined) return;
    setSending(true);
    try {
      const site = await api.createSite({ domain: cleanDomain(domain), timezone, currency, retention_months: months });
      keepSite(site);
      navigate(pathOf({ page: 'settings', site: site.domain, section: 'snippet' }));
    } catch (error) {
      setRefusal(
        error instanceof DeskError
          ? error
          : new DeskError(0, { code: 'internal', message: 'The site was not added. Try again.' }),
      );
      setSending(false);
    }
  };
  return (
    <Shell title="Add a site">
      <main className="wrap" id="main" tabIndex={-1}>
        <form className="settings" onSubmit={submit} noValidate>
          <section>
            <h2>Which site?</h2>
            <p>
              Events are counted for one domain. Pages of its subdomains count too; they are told apart by hostname.
            </p>
            <div className="form">
              <Field label="Domain" error={problem ?? (refusal?.field === 'domain' ? refusal.message : undefined)}>
                {(props) => (
                  <input
                    {...props}
                    className="in"
                    inputMode="url"
                    autoCapitalize="off"
                    spellCheck={false}
                    placeholder="shop.example"
                    value={domain}
                    onChange={(event) => {
                      setDomain(event.target.value);
                      setProblem(undefined);
                      setRefusal(undefined);
                    }}
                    onBlur={() => setDomain(cleanDomain(domain))}
                  />
                )}
              </Field>
              <div className="pair">
                <Field label="Timezone" help="Days start at midnight here.">
                  {(props) => (
                    <Select {...props} value={timezone} onChange={(event) => setTimezone(event.target.value)}>
                      <TimezoneOptions chosen={timezone} />
                    </Select>
                  )}
                </Field>
                <Field label="Currency">
                  {(props) => (
                    <Select {...props} value={currency} onChange={(event) => setCurrency(event.target.value)}>
                      <CurrencyOptions chosen={currency} />
                    </Select>
                  )}
                </Field>
              </div>
              <Field label="Raw events are kept" help="After that they are deleted; the daily counts stay.">
                {(props) => (
                  <Select {...props} value={months} onChange={(event) => setMonths(Number(event.target.value))}>
                    <RetentionOptions chosen={months} />
                  </Select>
                )}
              </Field>
              {refusal !== undefined && refusal.field !== 'domain' && (
                <FormError message={refusal.message} reference={refusal.reference} />
              )}
              <div className="go">
                <button type="submit" className="btn main-act" disabled={sending}>
                  {sending ? 'Adding…' : 'Add site'}
                </button>
              </div>
            </div>
          </section>
        </form>
      </main>
    </Shell>
  );
}
