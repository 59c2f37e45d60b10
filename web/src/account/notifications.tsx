import type { FormEvent } from 'react';
import { useState } from 'react';
import type { NoticeKind, NoticePreferences, QuietHours } from '../../../contract/mail.ts';
import { ComingRows } from '../controls/coming.tsx';
import { Field, FormError } from '../controls/field.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import { mailApi } from '../desk/mail_api.ts';
import { useReading } from '../desk/reading.ts';
import { readerZone } from '../edge/reader.ts';
import '../notifications/notices.css';
import { Failed } from '../overview/states.tsx';
import { Toggle } from '../settings/toggle.tsx';
import { TimezoneField } from '../sites/fields.tsx';
import { HeldBack } from './held_back.tsx';

const kindWords: Record<NoticeKind, { label: string; help: string }> = {
  security: { label: 'Security', help: 'A new device, a session that was ended, your second factor' },
  documents: { label: 'Documents', help: 'A document of an organisation, or who receives data, has changed' },
  organisation: {
    label: 'Organisations',
    help: 'Invitations accepted, your role, a suspension, a site renamed, moved or deleted',
  },
  mail: { label: 'Mail server', help: 'The server refuses; for who runs this desk' },
  exports: { label: 'Exports', help: 'One is ready, or failed' },
  imports: { label: 'Imports', help: 'One is done, or failed' },
  relay: { label: 'Relay', help: 'Conversions stay away, are refused, or wait for somebody' },
};
/** Kinds of which no mail exists. */
const withoutMail: readonly NoticeKind[] = ['mail'];

/** What I hear of, where, and when not. */
export function AccountNotifications() {
  const reading = useReading(mailApi.preferences);
  if (reading.problem !== undefined)
    return <Failed {...reading.problem} onRetry={reading.reload} what="Your choices could not be read." />;
  if (reading.answer === undefined)
    return (
      <div className="settings wide">
        <div className="list">
          <ComingRows what="your choices" heads={['What happens', 'Here', 'By mail']} rows={7} lines={2} />
        </div>
      </div>
    );
  return (
    <div className="settings wide">
      <Kinds preferences={reading.answer} onChange={reading.set} />
      <HeldBack />
      <Quiet quiet={reading.answer.quiet} onChange={reading.set} />
    </div>
  );
}

function Kinds({
  preferences,
  onChange,
}: {
  preferences: NoticePreferences;
  onChange: (changed: NoticePreferences) => void;
}) {
  const [refusal, setRefusal] = useState<DeskError>();
  const choose = async (kind: NoticeKind, change: { in_app?: boolean; mail?: boolean }) => {
    const before = preferences.kinds.find((one) => one.kind === kind);
    if (before === undefined) return;
    setRefusal(undefined);
    try {
      onChange(
        await mailApi.changePreferences({
          kinds: [{ kind, in_app: change.in_app ?? before.in_app, mail: change.mail ?? before.mail }],
        }),
      );
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  return (
    <section>
      <h2>What you hear of</h2>
      <p>
        Each choice is saved at once. Mail about your own access always comes: it is how you hear of what was not you.
      </p>
      {!preferences.mail_is_on && (
        <p className="note">
          <Glyph state="off" />
          <span>
            <b>This desk sends no mail yet.</b> What is chosen by mail comes once whoever runs it has named a mail
            server.
          </span>
        </p>
      )}
      <div className="list notices">
        <table>
          <thead>
            <tr>
              <th scope="col">About</th>
              <th scope="col">In the app</th>
              <th scope="col">By mail</th>
            </tr>
          </thead>
          <tbody>
            {preferences.kinds.map((one) => (
              <tr key={one.kind}>
                <td className="fill">
                  <b>{kindWords[one.kind].label}</b>
                  <div className="q">{kindWords[one.kind].help}</div>
                </td>
                <td>
                  <label className="hit">
                    <input
                      type="checkbox"
                      aria-label={`${kindWords[one.kind].label} in the app`}
                      checked={one.in_app}
                      onChange={(event) => void choose(one.kind, { in_app: event.target.checked })}
                    />
                  </label>
                </td>
                <td>
                  {one.mail_fixed ? (
                    <span className="q">always</span>
                  ) : withoutMail.includes(one.kind) ? (
                    <span className="q">never</span>
                  ) : (
                    <label className="hit">
                      <input
                        type="checkbox"
                        aria-label={`${kindWords[one.kind].label} by mail`}
                        checked={one.mail}
                        onChange={(event) => void choose(one.kind, { mail: event.target.checked })}
                      />
                    </label>
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <FormError message={refusal?.message} reference={refusal?.reference} />
    </section>
  );
}

function Quiet({ quiet, onChange }: { quiet: QuietHours | null; onChange: (changed: NoticePreferences) => void }) {
  const [on, setOn] = useState(quiet !== null);
  const [hours, setHours] = useState(quiet ?? { from: '22:00', until: '07:00', timezone: readerZone() });
  const [refusal, setRefusal] = useState<DeskError>();
  const [saved, setSaved] = useState(false);
  const [saving, setSaving] = useState(false);
  const change = (part: Partial<QuietHours>) => {
    setHours({ ...hours, ...part });
    setSaved(false);
    setRefusal(undefined);
  };
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    if (saving) return;
    setSaving(true);
    setRefusal(undefined);
    try {
      onChange(await mailApi.changePreferences({ quiet: on ? hours : null }));
      setSaved(true);
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setSaving(false);
    }
  };
  const errorOf = (field: string) => (refusal?.field === `quiet.${field}` ? refusal.message : undefined);
  return (
    <section>
      <h2>Quiet hours</h2>
      <p>Alerts wait by mail until they end. Mail about your own access does not wait.</p>
      <form className="form" onSubmit={submit} noValidate>
        <Toggle
          label="Keep quiet hours"
          checked={on}
          onChange={(checked) => {
            setOn(checked);
            setSaved(false);
          }}
        />
        {on && (
          <>
            <div className="pair keep-even">
              <Field label="From" error={errorOf('from')}>
                {(props) => (
                  <input
                    {...props}
                    className="in"
                    type="time"
                    value={hours.from}
                    onChange={(event) => change({ from: event.target.value })}
                  />
                )}
              </Field>
              <Field label="Until" error={errorOf('until')}>
                {(props) => (
                  <input
                    {...props}
                    className="in"
                    type="time"
                    value={hours.until}
                    onChange={(event) => change({ until: event.target.value })}
                  />
                )}
              </Field>
            </div>
            <TimezoneField
              value={hours.timezone}
              error={errorOf('timezone')}
              onChange={(timezone) => change({ timezone })}
            />
          </>
        )}
        {refusal !== undefined && refusal.field === undefined && (
          <FormError message={refusal.message} reference={refusal.reference} />
        )}
        <div className="go">
          <button type="submit" className="btn main-act" {...resting(saving)}>
            {saving ? 'Saving…' : 'Save quiet hours'}
          </button>
          <span role="status">
            {saved && (
              <span className="st ok">
                <Glyph state="ok" />
                Saved.
              </span>
            )}
          </span>
        </div>
      </form>
    </section>
  );
}
