import type { FormEvent } from 'react';
import { useState } from 'react';
import type { RelaySource } from '../../../contract/relay_settings.ts';
import { Done, Refusal, useAsk } from '../account/use_account.tsx';
import { Field, keepFocus, Select } from '../controls/field.tsx';
import { resting } from '../controls/resting.ts';
import type { Organisation } from '../desk/session.tsx';
import { useSession } from '../desk/session.tsx';
import { Toggle } from '../settings/toggle.tsx';
import { relayOf, type SourceChange } from './api.ts';
import { signatureSchemeList } from './schemes.ts';
import { schemeWords } from './words.ts';

const fields = [
  'name',
  'site_id',
  'unmapped_status',
  'doubles_minutes',
  'raw_days',
  'intake_days',
  'requests_per_minute',
  'signature.secret',
  'signature.header',
  'click_ids',
  'ip_and_agent',
  'browser_ids',
  'pixel_calls',
];

/** What can be set on a source; a change holds from its next request on. */
export function SourceForm({
  source,
  organisation,
  mayChange,
  onSaved,
}: {
  source: RelaySource;
  organisation: Organisation;
  mayChange: boolean;
  onSaved: (source: RelaySource) => void;
}) {
  const sites = useSession().sites.filter((one) => one.organisation_id === organisation.id);
  const ask = useAsk();
  const [draft, setDraft] = useState({
    name: source.name,
    site_id: source.site === null ? '' : String(source.site.id),
    unmapped_status: String(source.unmapped_status),
    doubles_minutes: String(source.doubles_minutes),
    raw_days: String(source.raw_days),
    intake_days: String(source.intake_days),
    requests_per_minute: source.requests_per_minute === null ? '' : String(source.requests_per_minute),
    scheme: source.signature?.scheme ?? '',
    header: source.signature?.header ?? '',
    secret: '',
  });
  const [has, setHas] = useState<Switches>(source);
  const isGoals = source.kind === 'goals';
  const set = (part: Partial<typeof draft>) => {
    setDraft({ ...draft, ...part });
    ask.clear();
  };
  const change: SourceChange = { ...changeOf(source, draft), ...changedSwitches(source, has) };
  const isSame = Object.keys(change).length === 0;
  const send = async (event: FormEvent) => {
    event.preventDefault();
    if (isSame || ask.asking) return;
    const done = await ask.ask(() => relayOf(organisation.id).changeSource(source.id, change));
    if (done !== undefined) onSaved(done.answer);
  };
  const text = (
    name: 'name' | 'doubles_minutes' | 'raw_days' | 'intake_days' | 'requests_per_minute',
    label: string,
    help?: string,
  ) => (
    <Field label={label} {...(help === undefined ? {} : { help })} error={ask.errorOf(name)}>
      {(props) => (
        <input
          {...props}
          className="in"
          {...(name === 'name' ? { maxLength: 80 } : { inputMode: 'numeric' as const })}
          readOnly={!mayChange}
          value={draft[name]}
          onChange={(event) => set({ [name]: event.target.value })}
        />
      )}
    </Field>
  );
  return (
    <form className="form" onSubmit={send} noValidate>
      {text('name', 'Name')}
      <Field label="Site" error={ask.errorOf('site_id')}>
        {(props) => (
          <Select
            {...props}
            disabled={!mayChange}
            value={draft.site_id}
            onChange={(event) => set({ site_id: event.target.value })}
          >
            {sites.map((one) => (
              <option key={one.id} value={one.id}>
                {one.domain}
              </option>
            ))}
            {!isGoals && <option value="">None in particular</option>}
          </Select>
        )}
      </Field>
      {isGoals && (
        <>
          <Toggle
            label="Send the click ids of the visit"
            help="The analytics keep only the kind of a click id. On, the ids of a running visit are held in memory until it is over, and a conversion takes them along: only of visitors who let ad platforms be told, never against a signal of the browser. A restart loses them."
            checked={has.click_ids}
            disabled={!mayChange}
            onChange={(click_ids) => setHas({ ...has, click_ids })}
          />
          <Toggle
            label="Send address and User-Agent"
            help="Of the request that reached the goal, sealed with the conversion for the days below, under the same conditions. The analytics forget both with the request."
            checked={has.ip_and_agent}
            disabled={!mayChange}
            onChange={(ip_and_agent) => setHas({ ...has, ip_and_agent })}
          />
          <Toggle
            label="Send what pixels keep in the browser"
            help="Meta’s _fbc and _fbp and TikTok’s _ttp, of the platforms that this source’s routes lead to. The tracker reads them where its tag has data-pixels, only of visitors who said yes to ads, and sets none."
            checked={has.browser_ids}
            disabled={!mayChange}
            onChange={(browser_ids) => setHas({ ...has, browser_ids })}
          />
          <Toggle
            label="Count which ids pixels are called with"
            help="Whether the browser’s own event carries the id that the relay sends: Match quality shows the share. Of the same pages and visitors; ids are kept as digests for two days, then as counts."
            checked={has.pixel_calls}
            disabled={!mayChange}
            onChange={(pixel_calls) => setHas({ ...has, pixel_calls })}
          />
        </>
      )}
      {source.kind === 'http' && (
        <Field
          label="Answer to a request that does not map"
          help="Shops end a webhook after repeated errors, so 202 is the rule. The request waits either way."
          error={ask.errorOf('unmapped_status')}
        >
          {(props) => (
            <Select
              {...props}
              disabled={!mayChange}
              value={draft.unmapped_status}
              onChange={(event) => set({ unmapped_status: event.target.value })}
            >
              <option value="202">202, with the problem in the body</option>
              <option value="422">422, so that the sender notices</option>
            </Select>
          )}
        </Field>
      )}
      {!isGoals &&
        text(
          'doubles_minutes',
          'Duplicate window in minutes',
          'A request without an order or id that says the same again within so long is a duplicate, and counted as one.',
        )}
      {text('raw_days', 'Days to keep identifiers', 'Sealed, counted from the last delivery; 0 to 30.')}
      {text('intake_days', 'Days to keep its intake log', '1 to 90.')}
      {source.kind === 'http' &&
        text(
          'requests_per_minute',
          'Requests a minute, at most',
          'A tenth of that in one burst. Beyond it the answer is 429 with Retry-After, and counted. Empty: no limit.',
        )}
      {source.kind === 'http' && (
        <>
          <Field label="Signature" help="Without one, the secret address alone says who sends.">
            {(props) => (
              <Select
                {...props}
                disabled={!mayChange}
                value={draft.scheme}
                onChange={(event) => set({ scheme: event.target.value })}
              >
                <option value="">None</option>
                {signatureSchemeList.map((one) => (
                  <option key={one} value={one}>
                    {schemeWords[one]}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          {draft.scheme === 'hmac' && (
            <Field label="Header with the signature" error={ask.errorOf('signature.header')}>
              {(props) => (
                <input
                  {...props}
                  className="in"
                  readOnly={!mayChange}
                  value={draft.header}
                  placeholder="x-signature"
                  onChange={(event) => set({ header: event.target.value })}
                />
              )}
            </Field>
          )}
          {draft.scheme !== '' && mayChange && (
            <Field
              label="Signing secret"
              optional={draft.scheme === source.signature?.scheme}
              help={
                draft.scheme === source.signature?.scheme
                  ? 'One is set, and is not shown. Another one takes its place at once.'
                  : 'As the sender’s page of webhooks shows it.'
              }
              error={ask.errorOf('signature.secret')}
            >
              {(props) => (
                <input
                  {...props}
                  className="in"
                  autoComplete="off"
                  spellCheck={false}
                  value={draft.secret}
                  onChange={(event) => set({ secret: event.target.value })}
                />
              )}
            </Field>
          )}
        </>
      )}
      <Refusal of={ask} fields={fields} />
      {mayChange && (
        <div className="go">
          <button type="submit" className="btn" onMouseDown={keepFocus} {...resting(isSame || ask.asking)}>
            {ask.asking ? 'Saving…' : 'Save the settings'}
          </button>
          <Done when={ask.done}>Saved</Done>
        </div>
      )}
    </form>
  );
}

const switches = ['click_ids', 'ip_and_agent', 'browser_ids', 'pixel_calls'] as const;
type Switches = Pick<RelaySource, (typeof switches)[number]>;

function changedSwitches(source: RelaySource, has: Switches): Partial<Switches> {
  return Object.fromEntries(switches.filter((one) => has[one] !== source[one]).map((one) => [one, has[one]]));
}

/** What is other than it was; numbers that are none go as they are, for the desk to say so. */
function changeOf(source: RelaySource, draft: Record<string, string>): SourceChange {
  const number = (text: string | undefined) => (/^\d+$/.test(text ?? '') ? Number(text) : (text as unknown as number));
  const change: SourceChange = {};
  if (draft.name !== source.name) change.name = draft.name ?? '';
  if (draft.site_id !== String(source.site?.id ?? ''))
    change.site_id = draft.site_id === '' ? null : number(draft.site_id);
  for (const name of ['unmapped_status', 'doubles_minutes', 'raw_days', 'intake_days'] as const)
    if (draft[name] !== String(source[name])) change[name] = number(draft[name]) as never;
  const rate = draft.requests_per_minute ?? '';
  if (rate !== String(source.requests_per_minute ?? '')) change.requests_per_minute = rate === '' ? null : number(rate);
  const scheme = signatureSchemeList.find((one) => one === draft.scheme);
  if (scheme === undefined && source.signature !== null) change.signature = null;
  if (scheme !== undefined && (draft.secret !== '' || scheme !== source.signature?.scheme))
    change.signature = { scheme, secret: draft.secret ?? '', ...(scheme === 'hmac' && { header: draft.header ?? '' }) };
  return change;
}
