import type { FormEvent } from 'react';
import { useEffect, useRef, useState } from 'react';
import { retentionMonthsMax } from '../../../contract/limits.ts';
import { Link, navigate, useAddress } from '../address/navigate.tsx';
import { pathOf } from '../address/route.ts';
import { Field, FormError, keepFocus, Select } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { may, type Organisation, useDesk, useSession } from '../desk/session.tsx';
import { Empty } from '../overview/states.tsx';
import { Shell } from '../shell/shell.tsx';
import { browserTimezone, cleanDomain, domainProblem, likelyCurrency } from './choices.tsx';
import { CurrencyField, DomainField, RetentionField, TimezoneField } from './fields.tsx';

export function NewSitePage() {
  const { keepSite } = useDesk();
  const { search } = useAddress();
  const { organisations, person } = useSession();
  const adding = organisations.filter((one) => may(one, 'site.manage'));
  const asked = new URLSearchParams(search).get('o');
  const [into, setInto] = useState((adding.find((one) => one.slug === asked) ?? adding[0])?.id);
  const [domain, setDomain] = useState('');
  const [chosen, choose] = useState<{ timezone?: string; currency?: string }>({});
  const { timezone, currency } = { ...beginning(adding.find(({ id }) => id === into)), ...chosen };
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
  if (adding.length === 0)
    return (
      <Shell title="Add a site">
        <main className="wrap" id="main" tabIndex={-1}>
          <div className="list">
            <Empty
              title={
                organisations.length === 0
                  ? 'You belong to no organisation now.'
                  : 'Your role does not include adding sites.'
              }
              action={
                <Link className="btn sm" href={pathOf({ page: 'account', section: 'profile' })}>
                  Open your account
                </Link>
              }
            >
              Owners and admins of one can invite {person.email}, or change your role.
            </Empty>
          </div>
        </main>
      </Shell>
    );
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
                <TimezoneField
                  value={timezone}
                  onChange={(zone) => choose({ ...chosen, timezone: zone })}
                  help="Days start at midnight here."
                />
                <CurrencyField value={currency} onChange={(code) => choose({ ...chosen, currency: code })} />
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

/** What the organisation's settings say that its new sites begin with; the browser's while nobody has chosen a zone. */
function beginning(organisation: Organisation | undefined): { timezone: string; currency: string } {
  if (organisation !== undefined && organisation.timezone !== 'UTC') return organisation;
  return { timezone: browserTimezone(), currency: likelyCurrency(navigator.language) };
}
