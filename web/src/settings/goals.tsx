import type { FormEvent } from 'react';
import { useCallback, useState } from 'react';
import { Field, FormError, Select } from '../controls/field.tsx';
import type { DeskError, Goal, NewGoal, Site } from '../desk/api.ts';
import { api, asDeskError } from '../desk/api.ts';
import { Empty } from '../overview/states.tsx';
import { ListedTable, useListed } from './listed.tsx';
import { Toggle } from './toggle.tsx';

/** Which aims are met? Goals count what was stored already, too: they are read, not recorded. */
export function GoalSettings({ site }: { site: Site }) {
  const load = useCallback(() => api.goals(site.domain), [site.domain]);
  const goals = useListed<Goal>(load);
  const [removed, setRemoved] = useState<Goal>();
  const [refusal, setRefusal] = useState<DeskError>();

  const remove = async (goal: Goal) => {
    setRefusal(undefined);
    try {
      await api.deleteGoal(site.domain, goal.id);
      goals.set((rows) => rows.filter((row) => row.id !== goal.id));
      setRemoved(goal);
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  const restore = async (goal: Goal) => {
    try {
      const again = await api.createGoal(site.domain, {
        name: goal.name,
        kind: goal.kind,
        match: goal.match,
        property: goal.property,
        scroll_depth: goal.scroll_depth,
        currency: goal.currency,
      });
      goals.set((rows) => [...rows, again]);
      setRemoved(undefined);
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };

  return (
    <div className="settings wide">
      <section>
        <h2 className="vh">All goals</h2>
        <p>A page or an event that you want to happen. A goal counts the past too: it is read from what is stored.</p>
        <FormError message={refusal?.message} reference={refusal?.reference} />
        <ListedTable
          listed={goals}
          heads={['Goal', 'Counts', 'Revenue']}
          empty={
            <Empty title="No goals yet.">Begin with the page that people see when it worked, such as /thanks.</Empty>
          }
          row={(goal) => (
            <>
              <td className="fill">
                <b>{goal.name}</b>
              </td>
              <td>
                {goal.kind === 'page' ? 'page ' : 'event '}
                <code className="ref">{goal.match}</code>
              </td>
              <td>{goal.currency ?? '–'}</td>
              <td className="num">
                <button
                  type="button"
                  className="btn quiet sm"
                  aria-label={`Remove the goal ${goal.name}`}
                  onClick={() => void remove(goal)}
                >
                  Remove
                </button>
              </td>
            </>
          )}
        />
        {removed !== undefined && (
          <p className="note" role="status">
            <span>
              “{removed.name}” is removed. The events it counted stay.{' '}
              <button type="button" className="link" onClick={() => void restore(removed)}>
                Undo
              </button>
            </span>
          </p>
        )}
      </section>
      {goals.settled && (
        <NewGoalForm
          site={site}
          onMade={(goal) => {
            goals.set((rows) => [...rows, goal]);
            setRemoved(undefined);
          }}
        />
      )}
    </div>
  );
}

function NewGoalForm({ site, onMade }: { site: Site; onMade: (goal: Goal) => void }) {
  const [kind, setKind] = useState<NewGoal['kind']>('page');
  const [match, setMatch] = useState('');
  const [name, setName] = useState('');
  const [earns, setEarns] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [refusal, setRefusal] = useState<DeskError>();
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setRefusal(undefined);
    const missing =
      match.trim() === ''
        ? kind === 'page'
          ? 'A page is needed, such as /thanks or /blog**.'
          : 'The name of the event is needed, such as Signup.'
        : undefined;
    setProblem(missing);
    if (missing !== undefined) return;
    try {
      onMade(
        await api.createGoal(site.domain, {
          kind,
          match: match.trim(),
          ...(name.trim() === '' ? {} : { name: name.trim() }),
          ...(kind === 'event' && earns ? { currency: site.currency } : {}),
        }),
      );
      setMatch('');
      setName('');
      setEarns(false);
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  return (
    <section>
      <h2>New goal</h2>
      <form className="form" onSubmit={submit} noValidate>
        <div className="pair">
          <Field label="Counts">
            {(props) => (
              <Select {...props} value={kind} onChange={(event) => setKind(event.target.value as NewGoal['kind'])}>
                <option value="page">Page views of</option>
                <option value="event">Events called</option>
              </Select>
            )}
          </Field>
          <Field
            label={kind === 'page' ? 'Page' : 'Event'}
            error={problem ?? (refusal?.field === 'match' ? refusal.message : undefined)}
            help={
              kind === 'page'
                ? '* stands for one part of the path, ** for any.'
                : 'As the site sends it, with the same capitals.'
            }
          >
            {(props) => (
              <input
                {...props}
                className="in"
                value={match}
                spellCheck={false}
                autoCapitalize="off"
                placeholder={kind === 'page' ? '/thanks' : 'Signup'}
                onChange={(event) => {
                  setMatch(event.target.value);
                  setProblem(undefined);
                  setRefusal(undefined);
                }}
              />
            )}
          </Field>
        </div>
        <Field
          label="Name"
          optional
          error={refusal?.field === 'name' ? refusal.message : undefined}
          help="How it is called in reports."
        >
          {(props) => (
            <input
              {...props}
              className="in"
              value={name}
              maxLength={120}
              onChange={(event) => setName(event.target.value)}
            />
          )}
        </Field>
        {kind === 'event' && (
          <Toggle
            label={`It earns revenue in ${site.currency}`}
            help="Amounts in other currencies are not added to it."
            checked={earns}
            onChange={setEarns}
          />
        )}
        {refusal !== undefined && refusal.field !== 'match' && refusal.field !== 'name' && (
          <FormError message={refusal.message} reference={refusal.reference} />
        )}
        <div className="go">
          <button type="submit" className="btn main-act">
            Create goal
          </button>
        </div>
      </form>
    </section>
  );
}
