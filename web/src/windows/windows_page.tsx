import { useCallback, useState } from 'react';
import { Field, Select } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { may, type Organisation } from '../desk/session.tsx';
import { calendarDay, momentDay, momentText } from '../edge/reader.ts';
import { exactCount } from '../numbers/format.ts';
import { type WindowLine, type WindowsAnswer, windows } from './api.ts';
import { State, useRead, WindowsFrame } from './parts.tsx';

/** What is kept here, and for how long? */
export function WindowsPage({ organisation }: { organisation: Organisation }) {
  return (
    <WindowsFrame organisation={organisation} title="Windows" what="the windows">
      <Windows organisation={organisation} />
    </WindowsFrame>
  );
}

const heads = ['What it is', 'Kept', 'There now', 'Oldest', 'Last removed'];

function Windows({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { answer, set, instead } = useRead(
    useCallback(() => windows.read(id), [id]),
    'the windows',
    heads,
  );
  const [isChanging, setChanging] = useState(false);
  if (answer === undefined) return <section className="panel list many">{instead}</section>;
  const byAge = answer.lines.filter(({ ends }) => ends === 'night' || ends === 'clock' || ends === 'size');
  const others = answer.lines.filter((line) => !byAge.includes(line));
  return (
    <>
      <section className="panel wi-lead" aria-labelledby="policy">
        <div>
          <h2 id="policy">
            Policy <b>{profileWords(answer.profile)}</b>
            {answer.version > 0 && <span className="q"> version {answer.version}</span>}
          </h2>
          <p className="q2">
            {answer.profiles.find(({ name }) => name === answer.profile)?.words} A window can be made shorter, never
            longer.
          </p>
          <p className="q2">
            {answer.night === null ? (
              'There was no nightly run yet.'
            ) : (
              <>
                Night of {calendarDay(answer.night.day)}: <State of={answer.night.state} />,{' '}
                {exactCount(answer.night.rows)} removed here.
              </>
            )}{' '}
            The next one begins {momentText(answer.next)}.
          </p>
        </div>
        {may(organisation, 'policy.manage') && (
          <button type="button" className="btn" onClick={() => setChanging(true)}>
            Make windows shorter
          </button>
        )}
      </section>
      <Lines isByAge title="Ends by age" lines={byAge} sites={answer.sites} />
      <Lines title="Ends with what it belongs to" lines={others} sites={[]} />
      {isChanging && (
        <PolicyForm
          organisation={organisation}
          answer={answer}
          onClose={() => setChanging(false)}
          onSaved={(next) => {
            set(next);
            setChanging(false);
          }}
        />
      )}
    </>
  );
}

/** Regions as people write them. */
function profileWords(name: string): string {
  return name === 'strict' ? 'strict' : name.toUpperCase();
}

function Lines({
  title,
  lines,
  sites,
  isByAge = false,
}: {
  title: string;
  /** Numbers and times say something. */
  isByAge?: boolean;
  lines: readonly WindowLine[];
  sites: WindowsAnswer['sites'];
}) {
  return (
    <section className="panel wi-lines">
      <h2>{title}</h2>
      <div className="list many">
        <table>
          <thead>
            <tr>
              {(isByAge ? heads : heads.slice(0, 2)).map((head) => (
                <th key={head} scope="col" className={head === 'There now' ? 'num' : undefined}>
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {lines.map((line) => (
              <tr key={line.name}>
                <td className="some">
                  <b>{words(line.name)}</b> <span className="q">{line.class}</span>
                  <div className="q2">{line.holds}</div>
                </td>
                <td className="some" data-head="Kept">
                  {keptWords(line)}
                  <div className="q2">{fromWords(line, sites)}</div>
                </td>
                {isByAge && (
                  <>
                    <td className="num" data-head="There now">
                      {line.stored === null ? '–' : exactCount(line.stored.rows)}
                    </td>
                    <td data-head="Oldest">{momentDay(line.stored?.oldest ?? null)}</td>
                    <td className="some" data-head="Last removed">
                      {line.last === null ? (
                        '–'
                      ) : (
                        <>
                          {momentDay(line.last.at)}
                          {line.last.rows !== null && `, ${exactCount(line.last.rows)}`}
                          {line.last.state !== 'done' && (
                            <>
                              {' '}
                              <State of={line.last.state} />
                            </>
                          )}
                        </>
                      )}
                    </td>
                  </>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

export function words(name: string): string {
  const text = name.replaceAll('-', ' ');
  return `${text[0]?.toUpperCase() ?? ''}${text.slice(1)}`;
}

function keptWords(line: WindowLine): string {
  if (line.size !== null) return line.kept;
  return line.ends === 'never' ? 'for good' : `until ${line.kept}`;
}

function fromWords(line: WindowLine, sites: WindowsAnswer['sites']): string {
  const shorter = sites.filter(({ months }) => line.size !== null && months < line.size);
  if (line.shortened_by === 'site and policy' && shorter.length > 0)
    return `shorter on ${shorter
      .slice(0, 3)
      .map(({ domain, months }) => `${domain} (${months} months)`)
      .join(', ')}${shorter.length > 3 ? ` and ${shorter.length - 3} more` : ''}`;
  if (line.from === 'policy') return 'set by the policy';
  if (line.from === 'profile') return 'set by the profile';
  return line.of_desk ? 'the whole desk' : line.shortened_by === 'nobody' ? 'fixed' : 'can be made shorter';
}

function PolicyForm({
  organisation,
  answer,
  onClose,
  onSaved,
}: {
  organisation: Organisation;
  answer: WindowsAnswer;
  onClose: () => void;
  onSaved: (answer: WindowsAnswer) => void;
}) {
  const settable = answer.lines.filter(({ shortened_by, size }) => shortened_by !== 'nobody' && size !== null);
  const [profile, setProfile] = useState(answer.profile);
  const [sizes, setSizes] = useState<Record<string, string>>(
    Object.fromEntries(settable.map(({ name, size }) => [name, String(size)])),
  );
  const send = async () => {
    const typed = settable.flatMap(({ name }) => {
      const size = Number(sizes[name]);
      return Number.isInteger(size) && size > 0 ? [[name, size]] : [];
    });
    onSaved(
      await windows.change(organisation.id, {
        profile,
        from_version: answer.version,
        windows: Object.fromEntries(typed),
      }),
    );
  };
  const isWhole = settable.every(
    ({ name, size }) =>
      /^\d+$/.test(sizes[name] ?? '') && Number(sizes[name]) <= (size ?? 0) && Number(sizes[name]) > 0,
  );
  return (
    <FormDialog
      label="Make windows shorter"
      title="Make windows shorter"
      lead={
        <p>The next nightly run removes what is older. A window that was made shorter cannot be made longer again.</p>
      }
      fields={['profile', ...settable.map(({ name }) => `windows.${name}`)]}
      act="Save version"
      isDangerous
      isResting={!isWhole}
      onSend={send}
      onClose={onClose}
    >
      {(errorOf, clear) => (
        <>
          <Field label="Profile" error={errorOf('profile')}>
            {(props) => (
              <Select
                {...props}
                value={profile}
                onChange={(event) => {
                  clear();
                  setProfile(event.target.value as typeof profile);
                }}
              >
                {answer.profiles.map(({ name }) => (
                  <option key={name} value={name}>
                    {profileWords(name)}
                  </option>
                ))}
              </Select>
            )}
          </Field>
          {settable.map(({ name, size, unit }) => (
            <Field
              key={name}
              label={`${words(name)}, ${unit}`}
              help={`1 to ${size}`}
              error={errorOf(`windows.${name}`)}
            >
              {(props) => (
                <input
                  {...props}
                  className="in"
                  inputMode="numeric"
                  autoComplete="off"
                  maxLength={4}
                  value={sizes[name] ?? ''}
                  onChange={(event) => {
                    clear();
                    setSizes((before) => ({ ...before, [name]: event.target.value }));
                  }}
                />
              )}
            </Field>
          ))}
        </>
      )}
    </FormDialog>
  );
}
