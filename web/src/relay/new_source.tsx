import { useState } from 'react';
import type { RelayPreset } from '../../../contract/relay_settings.ts';
import { Field, Select } from '../controls/field.tsx';
import { FormDialog, NameField } from '../controls/form_dialog.tsx';
import type { Site } from '../desk/api.ts';
import type { Organisation } from '../desk/session.tsx';
import { useSession } from '../desk/session.tsx';
import { type MadeSource, relayOf } from './api.ts';

/** No name of a preset has a space. */
const goals = 'the goals';
/** No preset: files with columns of one's own. */
const ownFiles = 'files';

/** Who sends, and for which site; the rest is set once something has come. */
export function NewSource({
  organisation,
  site,
  presets,
  onMade,
  onClose,
}: {
  organisation: Organisation;
  site: Site;
  presets: readonly RelayPreset[];
  onMade: (made: MadeSource) => void;
  onClose: () => void;
}) {
  const sites = useSession().sites.filter((one) => one.organisation_id === organisation.id);
  const [name, setName] = useState('');
  /** A preset, '' for a system of one's own, or the site's goals. */
  const [presetId, setPreset] = useState('');
  const isGoals = presetId === goals;
  const [siteId, setSite] = useState(String(site.id));
  const [secret, setSecret] = useState('');
  const preset = presets.find(({ id }) => id === presetId);
  const scheme = preset?.signature ?? null;
  const isFiles = presetId === ownFiles || preset?.kind === 'upload';
  const of = (kind: RelayPreset['kind']) =>
    presets
      .filter((one) => one.kind === kind)
      .map((one) => (
        <option key={one.id} value={one.id}>
          {one.label}
        </option>
      ));
  const send = async () => {
    const made = await relayOf(organisation.id).addSource({
      name: name.trim() === '' ? (isGoals ? 'Goals' : (preset?.label ?? '')) : name,
      ...(isGoals && { kind: 'goals' }),
      ...(preset === undefined ? {} : { preset: preset.id }),
      ...(isFiles ? { kind: 'upload' as const } : {}),
      site_id: siteId === '' ? null : Number(siteId),
      ...(scheme === null || secret.trim() === '' ? {} : { signature: { scheme, secret } }),
    });
    onMade(made);
  };
  return (
    <FormDialog
      label="Add a source"
      title="Add a source"
      fields={['name', 'kind', 'preset', 'site_id', 'signature.secret']}
      act="Add the source"
      acting="Adding…"
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <>
          <Field
            label="Who sends"
            help={
              isGoals
                ? 'Each event that reaches an event goal of the site is a conversion, by the goal’s name.'
                : presetId === ownFiles
                  ? 'You say which column is what while you look at the first rows.'
                  : preset === undefined
                    ? 'Any JSON, form or postback. You map it while you look at a request that came.'
                    : 'Its mapping is there from the start, and can be changed.'
            }
            error={errorOf('preset')}
          >
            {(props) => (
              <Select
                {...props}
                value={presetId}
                onChange={(event) => {
                  setPreset(event.target.value);
                  clear();
                }}
              >
                <optgroup label="Requests">
                  <option value="">A system of your own</option>
                  {of('http')}
                </optgroup>
                <option value={goals}>Goals of the web analytics</option>
                <optgroup label="Files that somebody uploads">
                  <option value={ownFiles}>CSV or XLSX with columns of your own</option>
                  {of('upload')}
                </optgroup>
              </Select>
            )}
          </Field>
          <NameField
            value={name}
            maxLength={80}
            error={errorOf('name')}
            onChange={(next) => {
              setName(next);
              clear();
            }}
          />
          <Field label="Site" help="To which its conversions belong." error={errorOf('site_id')}>
            {(props) => (
              <Select {...props} value={siteId} onChange={(event) => setSite(event.target.value)}>
                {sites.map((one) => (
                  <option key={one.id} value={one.id}>
                    {one.domain}
                  </option>
                ))}
                {!isGoals && <option value="">None in particular</option>}
              </Select>
            )}
          </Field>
          {scheme !== null && (
            <Field
              label="Signing secret"
              optional
              help={`${preset?.label} signs its requests. With the secret from its page of webhooks, others are refused; it can be added later.`}
              error={errorOf('signature.secret')}
            >
              {(props) => (
                <input
                  {...props}
                  className="in"
                  autoComplete="off"
                  spellCheck={false}
                  value={secret}
                  onChange={(event) => {
                    setSecret(event.target.value);
                    clear();
                  }}
                />
              )}
            </Field>
          )}
        </>
      )}
    </FormDialog>
  );
}
