import type { FormEvent } from 'react';
import { useCallback, useEffect, useRef, useState } from 'react';
import { Field, FormError } from '../controls/field.tsx';
import { Icon } from '../controls/icons.tsx';
import { Popover } from '../controls/popover.tsx';
import { takeFocus } from '../controls/take_focus.ts';
import type { Annotation, DeskError, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { useMayChange } from '../desk/session.tsx';
import { exactCount } from '../numbers/format.ts';
import type { Day, DayRange } from '../period/period.ts';
import { isDay } from '../period/period.ts';
import { dayText } from '../period/words.ts';

/** As many characters as the desk keeps of one. */
const noteCharsMax = 200;

export interface Annotations {
  all: readonly Annotation[];
  /** They belong to the site: who may write one may change those of others too. A viewer reads. */
  mayChange: boolean;
  add: (day: Day, note: string) => Promise<void>;
  change: (id: number, day: Day, note: string) => Promise<void>;
  remove: (id: number) => Promise<void>;
}

/** Asked once the numbers stand, which come first. Without an answer the chart is as right as without annotations. */
export function useAnnotations(of: Site, wanted: boolean): Annotations {
  const site = of.domain;
  const mayChange = useMayChange(of);
  const [all, setAll] = useState<readonly Annotation[]>([]);
  useEffect(() => {
    if (!wanted) return;
    let here = true;
    api.annotations(site).then(
      (found) => here && setAll(found),
      () => {},
    );
    return () => {
      here = false;
    };
  }, [site, wanted]);
  const add = useCallback(
    async (day: Day, note: string) => {
      const made = await api.addAnnotation(site, { day, note });
      setAll((before) => inOrder([...before, made]));
    },
    [site],
  );
  const change = useCallback(
    async (id: number, day: Day, note: string) => {
      const changed = await api.changeAnnotation(site, id, { day, note });
      setAll((before) => inOrder(before.map((one) => (one.id === id ? changed : one))));
    },
    [site],
  );
  const remove = useCallback(
    async (id: number) => {
      await api.removeAnnotation(site, id);
      setAll((before) => before.filter((one) => one.id !== id));
    },
    [site],
  );
  return { all, mayChange, add, change, remove };
}

const inOrder = (all: readonly Annotation[]) => all.toSorted((a, b) => a.day.localeCompare(b.day) || a.id - b.id);

/** "Annotations" beside the chart: what is written onto the days that it shows, and a form for one more. */
export function AnnotationList({
  annotations,
  range,
  today,
}: {
  annotations: Annotations;
  range: DayRange;
  today: Day;
}) {
  const [open, setOpen] = useState(false);
  const [changing, setChanging] = useState<number>();
  const [takenOff, setTakenOff] = useState<Annotation>();
  const [refusal, setRefusal] = useState<DeskError>();
  const turn = (opened: boolean) => {
    setOpen(opened);
    setChanging(undefined);
    setTakenOff(undefined);
    setRefusal(undefined);
  };
  const shown = annotations.all.filter(({ day }) => range.from <= day && day <= range.to);
  const count = exactCount(shown.length);
  return (
    <Popover
      label="Annotations"
      align="end"
      width={360}
      open={open}
      onOpenChange={turn}
      button={(props) => (
        <button type="button" className="btn quiet sm" {...props}>
          <Icon name="note" />
          <span className="only-w" aria-hidden="true">
            Annotations<span className="note-count">{shown.length === 0 ? '' : count}</span>
          </span>
          <span className="vh">Annotations: {shown.length === 0 ? 'none' : count}</span>
        </button>
      )}
    >
      {() => (
        <div className="annotations">
          {shown.length > 0 && (
            <ul>
              {shown.map((one) =>
                one.id === changing ? (
                  <li key={one.id}>
                    <AnnotationForm
                      start={one}
                      does="Save annotation"
                      onSubmit={async (day, note) => {
                        await annotations.change(one.id, day, note);
                        setChanging(undefined);
                      }}
                      onCancel={() => setChanging(undefined)}
                    />
                  </li>
                ) : (
                  <AnnotationRow
                    key={one.id}
                    one={one}
                    today={today}
                    mayChange={annotations.mayChange}
                    onChange={() => setChanging(one.id)}
                    onRemove={async () => {
                      await annotations.remove(one.id);
                      setTakenOff(one);
                    }}
                  />
                ),
              )}
            </ul>
          )}
          {takenOff !== undefined && (
            <p className="taken-off" role="status">
              <span dir="auto">“{takenOff.note}” is taken off.</span>
              <button
                key={takenOff.id}
                ref={takeFocus}
                type="button"
                className="btn sm"
                onClick={() =>
                  annotations.add(takenOff.day, takenOff.note).then(
                    () => setTakenOff(undefined),
                    (error: unknown) => setRefusal(asDeskError(error)),
                  )
                }
              >
                Undo
              </button>
            </p>
          )}
          <FormError message={refusal?.message} reference={refusal?.reference} />
          {!annotations.mayChange && shown.length === 0 && (
            <p className="q2">Nothing is written onto these days. Members of this organisation can do so.</p>
          )}
          {annotations.mayChange && changing === undefined && (
            <AnnotationForm
              start={{ day: today < range.to ? today : range.to, note: '' }}
              does="Add annotation"
              onSubmit={annotations.add}
            />
          )}
        </div>
      )}
    </Popover>
  );
}

function AnnotationRow({
  one,
  today,
  mayChange,
  onChange,
  onRemove,
}: {
  one: Annotation;
  today: Day;
  mayChange: boolean;
  onChange: () => void;
  onRemove: () => Promise<void>;
}) {
  const [refusal, setRefusal] = useState<DeskError>();
  return (
    <li>
      <div className="annotation">
        <time dateTime={one.day}>{dayText(one.day, today)}</time>
        {mayChange ? (
          <>
            <button type="button" className="link" dir="auto" aria-label={`Change: ${one.note}`} onClick={onChange}>
              {one.note}
            </button>
            <button
              type="button"
              className="btn quiet icon sm"
              aria-label={`Take off: ${one.note}`}
              onClick={() => onRemove().catch((error: unknown) => setRefusal(asDeskError(error)))}
            >
              <Icon name="close" />
            </button>
          </>
        ) : (
          <span dir="auto">{one.note}</span>
        )}
      </div>
      <FormError message={refusal?.message} reference={refusal?.reference} />
    </li>
  );
}

function AnnotationForm({
  start,
  does,
  onSubmit,
  onCancel,
}: {
  start: { day: Day; note: string };
  /** What its button says. */
  does: string;
  onSubmit: Annotations['add'];
  onCancel?: () => void;
}) {
  const [day, setDay] = useState<string>(start.day);
  const [note, setNote] = useState(start.note);
  const [problem, setProblem] = useState<{ field: 'day' | 'note'; text: string }>();
  const [refusal, setRefusal] = useState<DeskError>();
  const inputs = useRef<HTMLFormElement>(null);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setRefusal(undefined);
    const missing = !isDay(day)
      ? ({ field: 'day', text: 'A day is needed.' } as const)
      : note.trim() === ''
        ? ({ field: 'note', text: 'Say in a few words what happened.' } as const)
        : undefined;
    setProblem(missing);
    if (missing !== undefined) {
      inputs.current?.querySelector<HTMLInputElement>(`[name="${missing.field}"]`)?.focus();
      return;
    }
    try {
      await onSubmit(day, note.trim());
      setNote('');
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  const wrong = (field: 'day' | 'note') =>
    problem?.field === field ? problem.text : refusal?.field === field ? refusal.message : undefined;
  return (
    <form className="form" ref={inputs} onSubmit={submit} noValidate>
      <Field label="Day" error={wrong('day')}>
        {(props) => (
          <input
            {...props}
            name="day"
            type="date"
            className="in"
            value={day}
            onChange={(event) => setDay(event.target.value)}
          />
        )}
      </Field>
      <Field label="What happened" error={wrong('note')} help="Everyone who sees the chart reads it.">
        {(props) => (
          <input
            {...props}
            {...(onCancel === undefined ? {} : { ref: takeFocus })}
            name="note"
            className="in"
            value={note}
            dir="auto"
            maxLength={noteCharsMax}
            placeholder="Newsletter sent"
            onChange={(event) => setNote(event.target.value)}
          />
        )}
      </Field>
      {refusal !== undefined && refusal.field === undefined && (
        <FormError message={refusal.message} reference={refusal.reference} />
      )}
      <div className="go">
        <button type="submit" className="btn main-act">
          {does}
        </button>
        {onCancel !== undefined && (
          <button type="button" className="btn" onClick={onCancel}>
            Cancel
          </button>
        )}
      </div>
    </form>
  );
}
