import { useState } from 'react';
import type { View } from '../address/view.ts';
import { Icon } from '../controls/icons.tsx';
import { Popover } from '../controls/popover.tsx';
import type { Against, Day, DayRange, Period } from '../period/period.ts';
import { addDays, daysIn, isDay, presetLabels, presets, resolveAgainst, resolvePeriod } from '../period/period.ts';
import { againstText, periodText, rangeText } from '../period/words.ts';
import type { Frame } from '../questions/overview.ts';
import type { PaletteItem } from '../shell/palette.tsx';

interface PickerProps {
  view: View;
  frame: Frame;
  firstDay: Day;
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onChange: (change: Partial<View>) => void;
  /** On a phone the comparison is chosen in the same sheet: the row has room for one button. */
  phone?: boolean;
}

/** A span longer than this is more than any site here has kept. */
const daysMax = 3_660;

export function PeriodPicker({ view, frame, firstDay, open, onOpenChange, onChange, phone = false }: PickerProps) {
  const choose = (period: Period, close: () => void) => {
    onChange({ period, step: undefined });
    close();
  };
  return (
    <Popover
      label="Period"
      align="end"
      width={340}
      open={open}
      onOpenChange={onOpenChange}
      className="grow"
      button={(props) => (
        <button type="button" className="btn" {...props}>
          <Icon name="calendar" />
          <span className="cut">{periodText(view.period, frame.range, frame.today)}</span>
          <Icon name="down" />
        </button>
      )}
    >
      {(close) => (
        <>
          <ul className="choices">
            {presets.map((preset) => {
              const range = resolvePeriod({ kind: 'preset', preset }, frame.today, firstDay);
              const chosen = view.period.kind === 'preset' && view.period.preset === preset;
              return (
                <li key={preset}>
                  <button
                    type="button"
                    className="choice"
                    aria-pressed={chosen}
                    {...(chosen ? { 'data-autofocus': true } : {})}
                    onClick={() => choose({ kind: 'preset', preset }, close)}
                  >
                    <span>{presetLabels[preset]}</span>
                    <span className="q">{rangeText(range, frame.today)}</span>
                  </button>
                </li>
              );
            })}
          </ul>
          <DaysForm
            label="Other days"
            range={frame.range}
            latest={frame.today}
            chosen={view.period.kind === 'days'}
            onChoose={(range) => choose({ kind: 'days', ...range }, close)}
          />
          {phone && (
            <div className="pop-more">
              <b>Against</b>
              <AgainstChoices view={view} frame={frame} onChange={onChange} close={close} />
            </div>
          )}
        </>
      )}
    </Popover>
  );
}

export function AgainstPicker({ view, frame, open, onOpenChange, onChange }: Omit<PickerProps, 'firstDay' | 'phone'>) {
  return (
    <Popover
      label="Comparison"
      align="end"
      width={340}
      open={open}
      onOpenChange={onOpenChange}
      button={(props) => (
        <button type="button" className="btn" {...props}>
          <span className="q2">against</span> {againstText(view.against, frame.range, frame.before, frame.today)}
          <Icon name="down" />
        </button>
      )}
    >
      {(close) => <AgainstChoices view={view} frame={frame} onChange={onChange} close={close} />}
    </Popover>
  );
}

function AgainstChoices({
  view,
  frame,
  onChange,
  close,
}: Pick<PickerProps, 'view' | 'frame' | 'onChange'> & { close: () => void }) {
  if (view.period.kind === 'preset' && view.period.preset === 'all')
    return (
      <p className="pop-text">
        All days are shown, so there is nothing before them to compare with. Choose a shorter period.
      </p>
    );
  const options: { against: Against; label: string }[] = [
    { against: { kind: 'off' }, label: 'Off' },
    { against: { kind: 'before' }, label: 'Before' },
    { against: { kind: 'year' }, label: 'Same days last year' },
  ];
  const choose = (against: Against) => {
    onChange({ against });
    close();
  };
  return (
    <>
      <ul className="choices">
        {options.map(({ against, label }) => {
          const range = resolveAgainst(frame.range, against, view.matchWeekdays);
          const chosen = view.against.kind === against.kind;
          return (
            <li key={against.kind}>
              <button
                type="button"
                className="choice"
                aria-pressed={chosen}
                {...(chosen ? { 'data-autofocus': true } : {})}
                onClick={() => choose(against)}
              >
                <span>{label}</span>
                {range !== undefined && <span className="q">{rangeText(range, frame.today)}</span>}
              </button>
            </li>
          );
        })}
      </ul>
      <label className="tick">
        <input
          type="checkbox"
          checked={view.matchWeekdays}
          onChange={(event) => onChange({ matchWeekdays: event.target.checked })}
        />
        <span>
          Match weekdays
          <span className="q"> a Monday stands against a Monday</span>
        </span>
      </label>
      <DaysForm
        label="Compare with other days"
        range={
          frame.before ?? { from: addDays(frame.range.from, -daysIn(frame.range)), to: addDays(frame.range.from, -1) }
        }
        latest={frame.today}
        chosen={view.against.kind === 'days'}
        onChoose={(range) => choose({ kind: 'days', ...range })}
      />
    </>
  );
}

function DaysForm({
  label,
  range,
  latest,
  chosen,
  onChoose,
}: {
  label: string;
  range: DayRange;
  latest: Day;
  chosen: boolean;
  onChoose: (range: DayRange) => void;
}) {
  const [from, setFrom] = useState(range.from);
  const [to, setTo] = useState(range.to);
  const readable = isDay(from) && isDay(to);
  const problem = !readable
    ? 'Two dates are needed.'
    : from > to
      ? 'The first day is after the last.'
      : daysIn({ from, to }) > daysMax
        ? 'That is more than ten years.'
        : undefined;
  return (
    <form
      className="days"
      onSubmit={(event) => {
        event.preventDefault();
        if (problem === undefined) onChoose({ from, to: to > latest ? latest : to });
      }}
    >
      <fieldset>
        <legend>{label}</legend>
        <label>
          <span className="vh">First day</span>
          <input
            type="date"
            className="in sm"
            value={from}
            max={latest}
            onChange={(event) => setFrom(event.target.value)}
          />
        </label>
        <span aria-hidden="true">–</span>
        <label>
          <span className="vh">Last day</span>
          <input
            type="date"
            className="in sm"
            value={to}
            max={latest}
            onChange={(event) => setTo(event.target.value)}
          />
        </label>
        <button type="submit" className="btn sm" aria-pressed={chosen} disabled={problem !== undefined}>
          Show
        </button>
      </fieldset>
      {problem !== undefined && (
        <p className="help" role="alert">
          {problem}
        </p>
      )}
    </form>
  );
}

/** The periods as the palette offers them. */
export function periodItems(onChange: (change: Partial<View>) => void): PaletteItem[] {
  return presets.map((preset) => ({
    id: `period ${preset}`,
    group: 'Periods',
    text: presetLabels[preset],
    act: () => onChange({ period: { kind: 'preset', preset }, step: undefined }),
  }));
}
