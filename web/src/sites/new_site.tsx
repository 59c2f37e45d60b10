import type { FormEvent } from 'react';
import { useEffect, useRef, useState } from 'react';
import { retentionMonthsMax } from '../../../contract/limits.ts';
import { navigate, useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { Field, FormError, keepFocus, Select } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { may, useDesk, useSession } from '../desk/session.tsx';
import { Shell } from '../shell/shell.tsx';
import { browserTimezone, cleanDomain, domainProblem, likelyCurrency } from './choices.tsx';
import { CurrencyField, DomainField, RetentionField, TimezoneField } from './fields.tsx';

export function NewSitePage() {
  const { keepSite } = useDesk();
  const { search } = useAddress();
  const adding = useSession().organisations.filter((one) => may(one, 'site.manage'));
  const asked = new URLSearchParams(search).get('o');
  const [into, setInto] = useState((adding.find((one) => one.slug === asked) ?? adding[0])?.id);
  const [domain, setDomain] = useState('');
  const [timezone, setTimezone] = useState(browserTimezone());
  const [currency, setCurrency] = useState(likelyCurrency(navigator.language));
  const [months, setMonths] = useState<number>(retentionMonthsMax);
  const [problem, setProblem] = useState<string>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  useEffect(() => form.current?.querySelector<HTMLInputElement>('input')?.focus(), []);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const wrong = domainProblem(domain);
    setProblem(wrong);
    setRefusal(undefined);
    if (wrong !== undefined) {
      form.current?.querySelector<HTMLInputElement>('input')?.focus();
      return;
    }
    setSending(true);
    try {
      const site = await api.createSite(
        { domain: cleanDomain(domain), timezone, currency, retention_months: months },
        into,
      );
      keepSite(site);
      navigate(pathOf({ page: 'settings', site: site.domain, section: 'snippet' }));
    } catch (error) {
      setRefusal(asDeskError(error, 'The site was not added. Try again.'));
      setSending(false);
    }
  };
  return (
    <Shell title="Add a site">
      <main className="wrap" id="main" tabIndex={-1}>
        <form className="settings" ref={form} onSubmit={submit} noValidate>
          <section>
            <h2>Which site?</h2>
            <p>
              Events are counted for one domain. Pages of its subdomains count too; they are told apart by hostname.
            </p>
            <div className="form">
              {adding.length > 1 && (
                <Field label="Organisation">
                  {(props) => (
                    <Select {...props} value={into ?? ''} onChange={(event) => setInto(Number(event.target.value))}>
                      {adding.map((one) => (
                        <option key={one.id} value={one.id}>
                          {one.name}
                        </option>
                      ))}
                    </Select>
                  )}
                </Field>
              )}
              <DomainField
                label="Domain"
                error={problem ?? (refusal?.field === 'domain' ? refusal.message : undefined)}
                value={domain}
                onChange={(typed) => {
                  setDomain(typed);
                  setProblem(undefined);
                  setRefusal(undefined);
                }}
                onLeave={setDomain}
              />
              <div className="pair">
                <TimezoneField value={timezone} onChange={setTimezone} help="Days start at midnight here." />
                <CurrencyField value={currency} onChange={setCurrency} />
              </div>
              <RetentionField value={months} onChange={setMonths} />
              {refusal !== undefined && refusal.field !== 'domain' && (
                <FormError message={refusal.message} reference={refusal.reference} />
              )}
              <div className="go">
                <button type="submit" className="btn main-act" onMouseDown={keepFocus} {...resting(sending)}>
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
