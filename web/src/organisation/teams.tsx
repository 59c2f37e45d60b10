import { useCallback, useEffect, useState } from 'react';
import { Dialog } from '../controls/dialog.tsx';
import { FormError } from '../controls/field.tsx';
import { FormDialog, NameField } from '../controls/form_dialog.tsx';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import type { Organisation } from '../desk/session.tsx';
import { may, useSession } from '../desk/session.tsx';
import { Empty } from '../overview/states.tsx';
import { ListedTable, useListed } from '../settings/listed.tsx';
import { Toggle } from '../settings/toggle.tsx';
import { Denied } from './denied.tsx';
import { Some } from './some.tsx';
import type { Member, Team } from './wire.ts';
import { organisations } from './wire.ts';

/** Who works on which sites together? */
export function OrganisationTeams({ organisation }: { organisation: Organisation }) {
  return may(organisation, 'member.read') ? (
    <Teams organisation={organisation} />
  ) : (
    <Denied what="the teams" organisation={organisation} />
  );
}

function Teams({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const manages = may(organisation, 'member.manage');
  const sites = useSession().sites.filter((one) => one.organisation_id === id);
  const teams = useListed<Team>(useCallback(() => organisations.teams(id), [id]));
  const [members, setMembers] = useState<Member[]>([]);
  const [editing, setEditing] = useState<Team | 'new'>();
  const [removing, setRemoving] = useState<Team>();
  const [refusal, setRefusal] = useState<DeskError>();
  useEffect(() => {
    organisations.members(id).then(setMembers, () => {});
  }, [id]);
  const called = (person: number) => {
    const found = members.find((one) => one.id === person);
    return found === undefined ? '' : found.name === '' ? found.email : found.name;
  };
  const remove = async (team: Team) => {
    try {
      await organisations.removeTeam(id, team.id);
      teams.set((rows) => rows.filter((row) => row.id !== team.id));
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setRemoving(undefined);
    }
  };
  return (
    <div className="settings wide">
      <section>
        <h2 className="vh">All teams</h2>
        <p>A member who sees team sites only (set under Members) has the sites of all of their teams, and no others.</p>
        <FormError message={refusal?.message} reference={refusal?.reference} />
        <ListedTable
          what="the teams"
          listed={teams}
          heads={['Team', 'People', 'Sites']}
          empty={
            <Empty title="There is no team yet.">
              Teams are of use where people should see some sites and not others.
            </Empty>
          }
          row={(team) => (
            <>
              <td className="some">
                <b>{team.name}</b>
              </td>
              <td className="some" data-head="People">
                {team.member_ids.length === 0 ? (
                  <span className="q">nobody</span>
                ) : (
                  <Some of={team.member_ids.map(called)} />
                )}
              </td>
              <td className="some" data-head="Sites">
                {team.site_ids.length === 0 ? (
                  <span className="q">none</span>
                ) : (
                  <Some of={team.site_ids.flatMap((site) => sites.find((one) => one.id === site)?.domain ?? [])} />
                )}
              </td>
              <td className="acts">
                {manages && (
                  <>
                    <button type="button" className="btn sm" onClick={() => setEditing(team)}>
                      Change<span className="vh"> {team.name}</span>
                    </button>{' '}
                    <button type="button" className="btn sm quiet" onClick={() => setRemoving(team)}>
                      Remove<span className="vh"> {team.name}</span>
                    </button>
                  </>
                )}
              </td>
            </>
          )}
        />
        {manages && (
          <div className="go">
            <button type="button" className="btn main-act" onClick={() => setEditing('new')}>
              New team
            </button>
          </div>
        )}
      </section>
      {editing !== undefined && (
        <TeamForm
          organisation={organisation}
          team={editing === 'new' ? undefined : editing}
          members={members}
          onClose={() => setEditing(undefined)}
          onSaved={(team) => {
            teams.set((rows) => [...rows.filter((row) => row.id !== team.id), team]);
            setEditing(undefined);
          }}
        />
      )}
      {removing !== undefined && (
        <Dialog label="Remove a team" className="small" onClose={() => setRemoving(undefined)}>
          <h2>Remove the team {removing.name}?</h2>
          <p>Its people stay members. Those who see team sites only lose the sites that they had through it.</p>
          <div className="editor-foot">
            <button type="button" className="btn danger" onClick={() => void remove(removing)}>
              Remove team
            </button>
            <button type="button" className="btn quiet" onClick={() => setRemoving(undefined)}>
              Keep it
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

function TeamForm({
  organisation,
  team,
  members,
  onClose,
  onSaved,
}: {
  organisation: Organisation;
  team: Team | undefined;
  members: readonly Member[];
  onClose: () => void;
  onSaved: (team: Team) => void;
}) {
  const sites = useSession().sites.filter((one) => one.organisation_id === organisation.id);
  const [name, setName] = useState(team?.name ?? '');
  const [people, setPeople] = useState<readonly number[]>(team?.member_ids ?? []);
  const [chosen, setChosen] = useState<readonly number[]>(team?.site_ids ?? []);
  const flip = (list: readonly number[], id: number, on: boolean) =>
    on ? [...list, id] : list.filter((one) => one !== id);
  const save = async () => {
    const body = { name: name.trim(), member_ids: [...people], site_ids: [...chosen] };
    onSaved(
      team === undefined
        ? await organisations.makeTeam(organisation.id, body)
        : await organisations.changeTeam(organisation.id, team.id, body),
    );
  };
  return (
    <FormDialog
      label={team === undefined ? 'New team' : 'Change a team'}
      title={team === undefined ? 'New team' : team.name}
      fields={['name']}
      act="Save the team"
      isResting={name.trim() === ''}
      onSend={save}
      onClose={onClose}
    >
      {(errorOf) => (
        <>
          <NameField value={name} maxLength={60} error={errorOf('name')} onChange={setName} />
          <fieldset>
            <legend>
              <b>People</b>
            </legend>
            <div className="scopes">
              {members.map((one) => (
                <Toggle
                  key={one.id}
                  label={one.name === '' ? one.email : one.name}
                  checked={people.includes(one.id)}
                  onChange={(on) => setPeople(flip(people, one.id, on))}
                />
              ))}
            </div>
          </fieldset>
          <fieldset>
            <legend>
              <b>Sites</b>
            </legend>
            <div className="scopes">
              {sites.map((one) => (
                <Toggle
                  key={one.id}
                  label={one.domain}
                  checked={chosen.includes(one.id)}
                  onChange={(on) => setChosen(flip(chosen, one.id, on))}
                />
              ))}
            </div>
          </fieldset>
        </>
      )}
    </FormDialog>
  );
}
