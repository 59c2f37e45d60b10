import { useEffect, useState } from 'react';
import { canonicalFields } from '../../../../contract/canonical_fields.ts';
import type { Mapping } from '../../../../contract/mapping.ts';
import type { RelayUpload, UploadFormat, UploadPreview } from '../../../../contract/relay_uploads.ts';
import { Field, FormError, Select } from '../../controls/field.tsx';
import { Glyph } from '../../controls/icons.tsx';
import { resting } from '../../controls/resting.ts';
import type { DeskError } from '../../desk/api.ts';
import { asDeskError } from '../../desk/api.ts';
import { exactCount, percent } from '../../numbers/format.ts';
import type { UploadCalls } from './api.ts';
import {
  assign,
  type Fields,
  fieldOfColumn,
  fieldsOf,
  fixedOf,
  guessed,
  inManner,
  type Manner,
  mannerOf,
  withFixed,
} from './draft.ts';
import { FirstRows } from './first_rows.tsx';
import { DryRun } from './report.tsx';
import { encodingWords, separatorWords } from './words.ts';

/** While somebody chooses, the first rows are read again after this pause. */
const pauseMs = 250;

const groups: readonly { name: string; of: (field: string) => boolean }[] = [
  { name: 'Conversion', of: (field) => !field.includes('.') },
  { name: 'Click ids', of: (field) => field.startsWith('click_ids.') },
  { name: 'Person', of: (field) => field.startsWith('user.') },
  { name: 'Consent', of: (field) => field.startsWith('consent.') },
  { name: 'More', of: (field) => field.includes('.') && !/^(click_ids|user|consent)\./.test(field) },
];
const offered = [...canonicalFields].filter(([, kind]) => kind !== 'items').map(([field]) => field);

/** Says which column is what, shows what becomes of the first rows, tries the whole file and starts it. */
export function Columns({
  upload,
  calls,
  mappingVersion,
  zone,
  mayChange,
  onMapped,
  onChanged,
}: {
  upload: RelayUpload;
  calls: UploadCalls;
  mappingVersion: number;
  zone: string;
  mayChange: boolean;
  onMapped: (version: number) => void;
  onChanged: () => void;
}) {
  const [format, setFormat] = useState<UploadFormat>();
  const [saved, setSaved] = useState<Mapping>();
  /** Undefined until the file and the mapping are read, or while the mapping says more than a table shows. */
  const [fields, setFields] = useState<Fields>();
  const [manner, setManner] = useState<Manner>({ timezone: zone, order: 'ymd', decimal: '.' });
  const [isDeep, setDeep] = useState(false);
  const [seen, setSeen] = useState<UploadPreview>();
  const [problem, setProblem] = useState<DeskError>();
  const [busy, setBusy] = useState(false);

  // What is there already is begun with; where there is nothing, with what the names of the columns say.
  useEffect(() => {
    let isOver = false;
    const begin = async () => {
      const mapping = mappingVersion === 0 ? undefined : (await calls.mapping(mappingVersion)).mapping;
      const first = await calls.preview(upload.id, {});
      if (isOver) return;
      const known = fieldsOf(mapping);
      const manner_ = { timezone: first.timezone ?? zone, order: 'ymd', decimal: '.' } as const;
      setSaved(mapping);
      setDeep(mapping !== undefined && known === undefined);
      setSeen(first);
      const begun = mapping === undefined ? guessed(first.columns, manner_) : known;
      setFields(begun);
      setManner(begun === undefined ? manner_ : mannerOf(begun, manner_));
    };
    begin().catch((error) => setProblem(asDeskError(error)));
    return () => {
      isOver = true;
    };
  }, [calls, upload.id, mappingVersion, zone]);

  const mapping: Mapping | undefined = fields === undefined ? undefined : { fields };
  const text = JSON.stringify([mapping, format]);
  useEffect(() => {
    const [asked, form] = JSON.parse(text) as [Mapping | null, UploadFormat | null];
    if (asked === null) return;
    const stop = new AbortController();
    const timer = setTimeout(() => {
      calls
        .preview(upload.id, { mapping: asked, ...(form !== null && { format: form }) }, stop.signal)
        .then((answer) => {
          setSeen(answer);
          setProblem(undefined);
        })
        .catch((error) => {
          if (!stop.signal.aborted) setProblem(asDeskError(error));
        });
    }, pauseMs);
    return () => {
      clearTimeout(timer);
      stop.abort();
    };
  }, [calls, upload.id, text]);

  if (seen === undefined)
    return problem === undefined ? (
      <p className="q2">Reading the first rows…</p>
    ) : (
      <FormError message={problem.message} reference={problem.reference} />
    );

  const isChanged = mapping !== undefined && JSON.stringify(mapping) !== JSON.stringify(saved);
  const change = (next: Partial<Manner>) => {
    const whole = { ...manner, ...next };
    setManner(whole);
    if (fields !== undefined) setFields(inManner(fields, whole));
  };
  const act = async (work: () => Promise<unknown>) => {
    setBusy(true);
    setProblem(undefined);
    try {
      await work();
      onChanged();
    } catch (error) {
      setProblem(asDeskError(error));
    } finally {
      setBusy(false);
    }
  };
  const check = () =>
    act(async () => {
      if (isChanged && mapping !== undefined) {
        const { version } = await calls.saveMapping(mapping, mappingVersion);
        setSaved(mapping);
        onMapped(version);
      }
      await calls.check(upload.id, format ?? upload.format ?? undefined);
    });
  const shown = format ?? seen.format;
  const isFresh = upload.state === 'checked' && !isChanged && !upload.is_mapping_old && format === undefined;
  return (
    <div className="ru-work">
      <div className="ru-manner">
        {shown.kind === 'csv' ? (
          <>
            <Field label="Encoding">
              {(props) => (
                <Select
                  {...props}
                  value={shown.encoding}
                  disabled={!mayChange}
                  onChange={(event) =>
                    setFormat({ ...shown, encoding: event.target.value as keyof typeof encodingWords })
                  }
                >
                  {Object.entries(encodingWords).map(([value, label]) => (
                    <option key={value} value={value}>
                      {label}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
            <Field label="Between columns">
              {(props) => (
                <Select
                  {...props}
                  value={shown.separator}
                  disabled={!mayChange}
                  onChange={(event) =>
                    setFormat({ ...shown, separator: event.target.value as keyof typeof separatorWords })
                  }
                >
                  {Object.entries(separatorWords).map(([value, label]) => (
                    <option key={value} value={value}>
                      {label}
                    </option>
                  ))}
                </Select>
              )}
            </Field>
          </>
        ) : (
          <Field label="Sheet">
            {(props) => (
              <Select
                {...props}
                value={shown.sheet}
                disabled={!mayChange}
                onChange={(event) => setFormat({ kind: 'xlsx', sheet: event.target.value })}
              >
                {seen.sheets.map((name) => (
                  <option key={name}>{name}</option>
                ))}
              </Select>
            )}
          </Field>
        )}
        {fields !== undefined && (
          <>
            <Field label="Dates">
              {(props) => (
                <Select
                  {...props}
                  value={manner.order}
                  disabled={!mayChange}
                  onChange={(event) => change({ order: event.target.value as Manner['order'] })}
                >
                  <option value="ymd">Year first</option>
                  <option value="dmy">Day first, 30.11.2026</option>
                  <option value="mdy">Month first, 11/30/2026</option>
                  <option value="seconds">Seconds since 1970</option>
                </Select>
              )}
            </Field>
            <Field label="Timezone">
              {(props) => (
                <input
                  className="in"
                  {...props}
                  type="text"
                  value={manner.timezone}
                  spellCheck={false}
                  disabled={!mayChange}
                  onChange={(event) => change({ timezone: event.target.value })}
                />
              )}
            </Field>
            <Field label="Decimals">
              {(props) => (
                <Select
                  {...props}
                  value={manner.decimal}
                  disabled={!mayChange}
                  onChange={(event) => change({ decimal: event.target.value as Manner['decimal'] })}
                >
                  <option value=".">Point, 12.50</option>
                  <option value=",">Comma, 12,50</option>
                </Select>
              )}
            </Field>
            <Fixed {...{ fields, setFields, mayChange }} field="event_name" label="Event of all rows" />
            <Fixed {...{ fields, setFields, mayChange }} field="currency" label="Currency of all rows" />
          </>
        )}
      </div>
      {isDeep && (
        <p className="note">
          The mapping of this source says more than a table of columns shows. It is used as it is; change it in the
          mapping editor.
        </p>
      )}
      <FormError message={problem?.message ?? seen.mapping_problem?.sentence} reference={problem?.reference} />
      <div className="ru-both">
        <div className="ru-columns">
          <h4>Columns</h4>
          {fields !== undefined && !('event_name' in fields) && (
            <p className="st bad">
              <Glyph state="bad" />
              <span>Say the event of all rows above, or which column is event_name.</span>
            </p>
          )}
          {fields !== undefined && !('occurred_at' in fields) && (
            <p className="st bad">
              <Glyph state="bad" />
              <span>Say which column is occurred_at: when each happened.</span>
            </p>
          )}
          <table>
            <thead>
              <tr>
                <th scope="col">Column, first values</th>
                <th scope="col">Is</th>
              </tr>
            </thead>
            <tbody>
              {seen.columns.map((column) => (
                <tr key={column.name}>
                  <td>
                    <b dir="auto">{column.name}</b>
                    <span className="q" dir="auto">
                      {column.samples.join(' · ') || 'nothing in it'}
                    </span>
                  </td>
                  <td>
                    <Select
                      aria-label={`${column.name} is`}
                      value={(fields !== undefined && fieldOfColumn(fields, column.name)) || ''}
                      disabled={!mayChange || fields === undefined}
                      onChange={(event) =>
                        fields !== undefined &&
                        setFields(assign(fields, column, event.target.value || undefined, manner))
                      }
                    >
                      <option value="">not read</option>
                      {groups.map(({ name, of }) => (
                        <optgroup key={name} label={name}>
                          {offered.filter(of).map((field) => (
                            <option key={field}>{field}</option>
                          ))}
                        </optgroup>
                      ))}
                    </Select>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
        <FirstRows rows={seen.rows} />
      </div>
      {upload.state === 'checking' && (
        <div className="ru-step">
          <p className="q2">The whole file is tried. Nothing is taken.</p>
          <progress max={1} value={upload.progress ?? 0} aria-label="Tried" />
          <span className="q">{upload.progress === null ? 'Waits for its turn' : percent(upload.progress * 100)}</span>
        </div>
      )}
      {isFresh && upload.report !== null && <DryRun upload={upload} report={upload.report} zone={zone} />}
      {mayChange && upload.state !== 'checking' && (
        <div className="editor-foot">
          {isFresh && (upload.report?.fresh ?? 0) + (upload.report?.known ?? 0) > 0 ? (
            <button
              type="button"
              className="btn main-act"
              onClick={() => act(() => calls.start(upload.id))}
              {...resting(busy)}
            >
              Take {exactCount((upload.report?.fresh ?? 0) || (upload.report?.known ?? 0))}{' '}
              {upload.report?.fresh === 1 ? 'conversion' : 'conversions'}
            </button>
          ) : (
            <button type="button" className="btn main-act" onClick={() => void check()} {...resting(busy)}>
              {isChanged ? 'Save the columns and try the whole file' : 'Try the whole file'}
            </button>
          )}
          <span className="q2">
            {isFresh ? 'They go on to every destination of this source.' : 'Nothing is taken by trying.'}
          </span>
        </div>
      )}
    </div>
  );
}

function Fixed({
  fields,
  setFields,
  field,
  label,
  mayChange,
}: {
  fields: Fields;
  setFields: (fields: Fields) => void;
  field: string;
  label: string;
  mayChange: boolean;
}) {
  const value = fixedOf(fields, field);
  if (value === undefined) return null;
  return (
    <Field label={label}>
      {(props) => (
        <input
          className="in"
          {...props}
          type="text"
          value={value}
          placeholder={field === 'currency' ? 'such as EUR' : 'such as purchase'}
          spellCheck={false}
          maxLength={120}
          disabled={!mayChange}
          onChange={(event) => setFields(withFixed(fields, field, event.target.value))}
        />
      )}
    </Field>
  );
}
