import type { FormEvent } from 'react';
import { useState } from 'react';
import { FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError, Site, SiteChange } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { useDesk } from '../desk/session.tsx';
import { CurrencyField, RetentionField, TimezoneField } from '../sites/fields.tsx';
import { Toggle } from './toggle.tsx';

/** Timezone, money, what is kept and for how long. Saved together; what did not change is not sent. */
export function SiteSettings({ site }: { site: Site }) {
  const { keepSite } = useDesk();
  const [draft, setDraft] = useState({
    timezone: site.timezone,
    currency: site.currency,
    retention_months: site.retention_months,
    titles: site.titles,
    revenue: site.revenue,
    contact_clicks: site.contact_clicks,
    privacy_signals: site.privacy_signals,
  });
  const [refusal, setRefusal] = useState<DeskError>();
  const [state, setState] = useState<'idle' | 'saving' | 'saved'>('idle');
  const changes = Object.fromEntries(
    Object.entries(draft).filter(([name, value]) => site[name as keyof typeof draft] !== value),
  ) as SiteChange;
  const changed = Object.keys(changes).length > 0;
  const set = (part: Partial<typeof draft>) => {
    setDraft({ ...draft, ...part });
    setState('idle');
    setRefusal(undefined);
  };
  const errorOf = (field: string) => (refusal?.field === field ? refusal.message : undefined);
  const save = async (event: FormEvent) => {
    event.preventDefault();
    if (!changed) return;
    setState('saving');
    try {
      keepSite(await api.changeSite(site.domain, changes));
      setState('saved');
    } catch (error) {
      setState('idle');
      setRefusal(asDeskError(error, 'The changes were not saved. Try again.'));
    }
  };
  return (
    <form className="settings" onSubmit={save}>
      <section>
        <h2>Time and money</h2>
        <p>
          Days start at midnight in the site's timezone. Another timezone counts the closed days again; until that is
          done the overview says so.
        </p>
        <div className="form">
          <div className="pair">
            <TimezoneField
              value={draft.timezone}
              error={errorOf('timezone')}
              onChange={(timezone) => set({ timezone })}
            />
            <CurrencyField
              value={draft.currency}
              error={errorOf('currency')}
              onChange={(currency) => set({ currency })}
            />
          </div>
          <Toggle
            label="Keep revenue"
            help="Amounts that events carry are stored, and orders and revenue stand on the overview."
            checked={draft.revenue}
            onChange={(revenue) => set({ revenue })}
          />
        </div>
      </section>
      <section>
        <h2>What is kept</h2>
        <p>Addresses, full browser strings and query strings are never kept. The rest is yours to narrow.</p>
        <div className="form">
          <RetentionField
            value={draft.retention_months}
            error={errorOf('retention_months')}
            {...(draft.retention_months < site.retention_months
              ? {
                  help: `Events older than ${draft.retention_months} ${draft.retention_months === 1 ? 'month' : 'months'} are deleted for good. The daily counts stay.`,
                }
              : {})}
            onChange={(retention_months) => set({ retention_months })}
          />
          <Toggle
            label="Keep page titles"
            help="Titles can carry names, for example of a customer on an order page. Without them, pages are told apart by their paths."
            checked={draft.titles}
            onChange={(titles) => set({ titles })}
          />
          <Toggle
            label="Keep addresses of mail and phone links"
            help="Off, only the click and the mail domain are kept. On, the address or number is stored sealed and never counted in reports: from the EEA, the UK, Switzerland and unknown places only of visitors who agreed, elsewhere unless they said no, or stricter where Trust, Consent says so. The snippet needs data-contact too."
            checked={draft.contact_clicks}
            onChange={(contact_clicks) => set({ contact_clicks })}
          />
          <Toggle
            label="Drop visitors who send Sec-GPC or DNT"
            help="They are never followed beyond midnight either way. With this on they are not counted at all; how many were dropped is counted."
            checked={draft.privacy_signals === 'drop'}
            onChange={(drop) => set({ privacy_signals: drop ? 'drop' : 'ignore' })}
          />
        </div>
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(!changed || state === 'saving')}>
            {state === 'saving' ? 'Saving…' : 'Save settings'}
          </button>
          {changed && (
            <button type="button" className="btn quiet" onClick={() => set({ ...site })}>
              Discard
            </button>
          )}
          <span role="status">
            {state === 'saved' && (
              <span className="st ok">
                <Glyph state="ok" />
                Saved. It holds from the next event on.
              </span>
            )}
          </span>
        </div>
        {refusal !== undefined && refusal.field === undefined && (
          <FormError message={refusal.message} reference={refusal.reference} />
        )}
      </section>
    </form>
  );
}
