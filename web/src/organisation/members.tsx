import type { FormEvent } from 'react';
import { useCallback, useEffect, useState } from 'react';
import { AskFirst } from '../controls/ask_first.tsx';
import { CopyButton } from '../controls/copy.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Field, FormError, Select } from '../controls/field.tsx';
import { FormDialog } from '../controls/form_dialog.tsx';
import { Glyph } from '../controls/icons.tsx';
import { resting } from '../controls/resting.ts';
import { takeFocus } from '../controls/take_focus.ts';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import type { Organisation } from '../desk/session.tsx';
import { may, useDesk, useSession } from '../desk/session.tsx';
import { readerDay, readerToday } from '../edge/reader.ts';
import { Empty } from '../overview/states.tsx';
import { dayText } from '../period/words.ts';
import { ListedTable, useListed } from '../settings/listed.tsx';
import { Toggle } from '../settings/toggle.tsx';
import { Denied } from './denied.tsx';
import { Some } from './some.tsx';
import type { Invitation, Member, OrganisationRole, RoleTable, SentInvitation, Team } from './wire.ts';
import { organisations } from './wire.ts';
import './organisation.css';
import { changeText, roleText } from './words.ts';

/** Who is here, with which role, and who is asked to come. */
export function OrganisationMembers({ organisation }: { organisation: Organisation }) {
  return may(organisation, 'member.read') ? (
    <Members organisation={organisation} />
  ) : (
    <Denied what="the list of people" organisation={organisation} />
  );
}

function Members({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const { person } = useSession();
  const { enter } = useDesk();
  const manages = may(organisation, 'member.manage');
  const members = useListed<Member>(useCallback(() => organisations.members(id), [id]));
  const [table, setTable] = useState<RoleTable>();
  const [teams, setTeams] = useState<Team[]>([]);
  const [changing, setChanging] = useState<Member>();
  const [removing, setRemoving] = useState<Member>();
  const [refusal, setRefusal] = useState<DeskError>();
  useEffect(() => {
    organisations.roles(id).then(setTable, () => {});
    organisations.teams(id).then(setTeams, () => {});
  }, [id]);
  const today = readerToday();

  const remove = async (member: Member) => {
    try {
      await organisations.removeMember(id, member.id);
      members.set((rows) => rows.filter((row) => row.id !== member.id));
      if (member.id === person.id) await enter();
    } catch (error) {
      setRefusal(asDeskError(error));
    } finally {
      setRemoving(undefined);
    }
  };

  return (
    <div className="settings wide">
      <section>
        <h2 className="vh">All members</h2>
        {members.settled && <p>{`Who works in ${organisation.name}, and what each of them may do.`}</p>}
        <FormError message={refusal?.message} reference={refusal?.reference} />
        <ListedTable
          what="the members"
          listed={members}
          heads={['Person', 'Role', 'Teams', 'Since', 'Last here']}
          empty={<Empty title="Nobody is here." />}
          row={(member) => (
            <>
              <td className="fill who">
                <b>{member.name === '' ? member.email : member.name}</b>
                {member.id === person.id && <span className="q"> you</span>}
                {member.name !== '' && <div className="q">{member.email}</div>}
                {member.status === 'suspended' && <span className="tag">suspended</span>}
                {member.status === 'unverified' && <span className="tag">address not confirmed</span>}
                {member.second_factor === false && <span className="tag">no second factor</span>}
              </td>
              <td data-head="Role">{roleText(member.role_name)}</td>
              <td className="some" data-head="Teams">
                {member.teams.length === 0 ? (
                  <span className="q">none</span>
                ) : (
                  <Some
                    of={member.teams.map(({ id: team, name }) => (
                      <span key={team} className="tag">
                        {name}
                      </span>
                    ))}
                  />
                )}
                {member.team_sites_only && <div className="q">sees their sites only</div>}
              </td>
              <td data-head="Since">{dayText(readerDay(member.since), today)}</td>
              <td data-head="Last here">
                {member.last_seen_day === null ? 'never' : dayText(member.last_seen_day, today)}
              </td>
              <td className="acts">
                {manages && (
                  <>
                    <button type="button" className="btn sm" onClick={() => setChanging(member)}>
                      Change<span className="vh"> {member.email}</span>
                    </button>{' '}
                    <button type="button" className="btn sm quiet" onClick={() => setRemoving(member)}>
                      Remove<span className="vh"> {member.email}</span>
                    </button>
                  </>
                )}
              </td>
            </>
          )}
        />
      </section>
      {members.settled && manages && table !== undefined && (
        <Invitations organisation={organisation} roles={table.roles} teams={teams} />
      )}
      {changing !== undefined && table !== undefined && (
        <ChangeMember
          organisation={organisation}
          member={changing}
          table={table}
          teams={teams}
          onClose={() => setChanging(undefined)}
          onChanged={(member) => {
            members.set((rows) => rows.map((row) => (row.id === member.id ? member : row)));
            setChanging(undefined);
            if (member.id === person.id) void enter();
          }}
        />
      )}
      {removing !== undefined && (
        <Dialog label="Remove a member" className="small" onClose={() => setRemoving(undefined)}>
          <h2>
            Remove {removing.name === '' ? removing.email : removing.name} from {organisation.name}?
          </h2>
          <p>
            From their next click on they see nothing of {organisation.name}, also where a page is open. What they made
            stays: goals, notes, API keys. They are told by mail.
          </p>
          <div className="editor-foot">
            <button type="button" className="btn danger" onClick={() => void remove(removing)}>
              Remove the member
            </button>
            <button type="button" className="btn quiet" onClick={() => setRemoving(undefined)}>
              Keep
            </button>
          </div>
        </Dialog>
      )}
    </div>
  );
}

function ChangeMember({
  organisation,
  member,
  table,
  teams,
  onClose,
  onChanged,
}: {
  organisation: Organisation;
  member: Member;
  table: RoleTable;
  teams: readonly Team[];
  onClose: () => void;
  onChanged: (member: Member) => void;
}) {
  const [role, setRole] = useState(member.role);
  const [inTeams, setInTeams] = useState<readonly number[]>(member.teams.map(({ id }) => id));
  const [only, setOnly] = useState(member.team_sites_only);
  const of = (name: string) => table.roles.find((one) => one.role === name);
  const meaning = (name: string) => table.permissions.find((one) => one.name === name)?.meaning ?? name;
  const { gains, losses } = changeText(of(member.role), of(role), meaning);
  const save = async () =>
    onChanged(
      await organisations.changeMember(organisation.id, member.id, {
        ...(role === member.role ? {} : { role }),
        team_ids: [...inTeams],
        team_sites_only: role === 'owner' ? false : only,
      }),
    );
  return (
    <FormDialog
      label="Change a member"
      title={member.name === '' ? member.email : member.name}
      fields={[]}
      act="Save the change"
      onSend={save}
      onClose={onClose}
    >
      {() => (
        <>
          <RoleField roles={table.roles} value={role} onChange={setRole} organisation={organisation} />
          {(gains.length > 0 || losses.length > 0) && (
            <div className="note" role="status">
              <div>
                <Changes title="Can from now on" of={gains} />
                <Changes title="Can no longer" of={losses} />
                {only && role !== 'owner' && (
                  <p>Of this, what is about the whole organisation is left out while they see these sites only.</p>
                )}
                <p>It holds from their next click on, also where a page is open.</p>
              </div>
            </div>
          )}
          <TeamChoice teams={teams} chosen={inTeams} onChange={setInTeams} />
          {role !== 'owner' && (
            <Toggle
              label="Sees the sites of these teams only"
              help="Every other site is hidden, and so is what is about the whole organisation: keys, settings, the audit log."
              checked={only}
              onChange={setOnly}
            />
          )}
        </>
      )}
    </FormDialog>
  );
}

function Changes({ title, of }: { title: string; of: readonly string[] }) {
  if (of.length === 0) return null;
  return (
    <>
      <b>{title}</b>
      <ul className="changes">
        {of.map((one) => (
          <li key={one}>{one}</li>
        ))}
      </ul>
    </>
  );
}

function RoleField({
  roles,
  value,
  onChange,
  organisation,
}: {
  roles: readonly OrganisationRole[];
  value: string;
  onChange: (role: string) => void;
  organisation: Organisation;
}) {
  const given = roles.filter(
    (one) => one.role === value || one.permissions.every((permission) => may(organisation, permission)),
  );
  return (
    <Field label="Role" help="What each role may do is under Roles.">
      {(props) => (
        <Select {...props} value={value} onChange={(event) => onChange(event.target.value)}>
          {given.map((one) => (
            <option key={one.role} value={one.role}>
              {roleText(one.name)}
            </option>
          ))}
        </Select>
      )}
    </Field>
  );
}

function TeamChoice({
  teams,
  chosen,
  onChange,
}: {
  teams: readonly Team[];
  chosen: readonly number[];
  onChange: (teams: readonly number[]) => void;
}) {
  if (teams.length === 0) return null;
  return (
    <fieldset>
      <legend>
        <b>Teams</b>
      </legend>
      <div className="scopes">
        {teams.map((team) => (
          <Toggle
            key={team.id}
            label={team.name}
            checked={chosen.includes(team.id)}
            onChange={(on) => onChange(on ? [...chosen, team.id] : chosen.filter((one) => one !== team.id))}
          />
        ))}
      </div>
    </fieldset>
  );
}

function Invitations({
  organisation,
  roles,
  teams,
}: {
  organisation: Organisation;
  roles: readonly OrganisationRole[];
  teams: readonly Team[];
}) {
  const { id } = organisation;
  const open = useListed<Invitation>(useCallback(() => organisations.invitations(id), [id]));
  const [sent, setSent] = useState<SentInvitation>();
  const [revoking, setRevoking] = useState<Invitation>();
  const [refusal, setRefusal] = useState<DeskError>();
  const today = readerToday();
  const keep = (made: SentInvitation) => {
    setSent(made);
    setRefusal(undefined);
    open.set((rows) => [made, ...rows.filter((row) => row.id !== made.id)]);
  };
  const act = async (work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  const revoke = async (one: Invitation) => {
    await organisations.revoke(id, one.id);
    open.set((rows) => rows.filter((row) => row.id !== one.id));
    if (sent?.id === one.id) setSent(undefined);
    setRevoking(undefined);
  };
  return (
    <>
      <section>
        <h2>Invite somebody</h2>
        <p>They get a link that works once, for seven days and for their address alone.</p>
        {sent !== undefined && <SentNote sent={sent} />}
        <InviteForm organisation={organisation} roles={roles} teams={teams} onSent={keep} />
      </section>
      <section>
        <h2>Open invitations</h2>
        <FormError message={refusal?.message} reference={refusal?.reference} />
        <ListedTable
          what="the invitations"
          listed={open}
          heads={['Address', 'Role', 'Sent', 'Works until']}
          empty={<Empty title="No invitation is open.">Who accepted one is in the table above.</Empty>}
          row={(one) => (
            <>
              <td className="fill who">
                {one.email}
                {one.is_undelivered && (
                  <div className="undelivered">
                    <Glyph state="bad" />
                    <span>No mail reaches this address. Revoke it, and invite another one.</span>
                  </div>
                )}
              </td>
              <td data-head="Role">{roleText(one.role_name)}</td>
              <td data-head="Sent">
                {dayText(readerDay(one.sent_at), today)}
                {one.invited_by !== '' && <div className="q">by {one.invited_by}</div>}
              </td>
              <td data-head="Works until">
                {one.expired ? <span className="tag">expired</span> : dayText(readerDay(one.expires_at), today)}
              </td>
              <td className="acts">
                <button
                  type="button"
                  className="btn sm"
                  onClick={() => void act(async () => keep(await organisations.resend(id, one.id)))}
                >
                  Send again<span className="vh"> to {one.email}</span>
                </button>{' '}
                <button type="button" className="btn sm quiet" onClick={() => setRevoking(one)}>
                  Revoke<span className="vh"> {one.email}</span>
                </button>
              </td>
            </>
          )}
        />
        {revoking !== undefined && (
          <AskFirst
            title={`Revoke the invitation of ${revoking.email}?`}
            act="Revoke the invitation"
            onAct={() => revoke(revoking)}
            onClose={() => setRevoking(undefined)}
          >
            Its link stops working at once, and nobody is told. To let them in later, invite them again.
          </AskFirst>
        )}
      </section>
    </>
  );
}

function SentNote({ sent }: { sent: SentInvitation }) {
  return (
    <div className="note ok reached" role="status" key={sent.sent_at} ref={takeFocus} tabIndex={-1}>
      <div>
        {sent.link === null ? (
          <p>
            The invitation is on its way to <b>{sent.email}</b>.
          </p>
        ) : (
          <>
            <p>
              <b>This desk sends no mail</b>, so pass the link on to {sent.email} yourself. It is shown this once; a new
              one can be made any time.
            </p>
            <div className="secret">
              <code>{sent.link}</code>
              <CopyButton text={sent.link} label="Copy the link" />
            </div>
          </>
        )}
      </div>
    </div>
  );
}

function InviteForm({
  organisation,
  roles,
  teams,
  onSent,
}: {
  organisation: Organisation;
  roles: readonly OrganisationRole[];
  teams: readonly Team[];
  onSent: (sent: SentInvitation) => void;
}) {
  const [email, setEmail] = useState('');
  const [role, setRole] = useState('viewer');
  const [inTeams, setInTeams] = useState<readonly number[]>([]);
  const [only, setOnly] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [refusal, setRefusal] = useState<DeskError>();
  const [sending, setSending] = useState(false);
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    setRefusal(undefined);
    if (!/^\S+@\S+\.\S+$/.test(email.trim()))
      return setProblem('An e-mail address has an @ and a domain, such as ana@shop.example.');
    setSending(true);
    try {
      onSent(
        await organisations.invite(organisation.id, {
          email: email.trim(),
          role,
          team_ids: [...inTeams],
          team_sites_only: role === 'owner' ? false : only,
        }),
      );
      setEmail('');
    } catch (error) {
      const refused = asDeskError(error);
      if (refused.field === 'email') setProblem(refused.message);
      else setRefusal(refused);
    } finally {
      setSending(false);
    }
  };
  return (
    <form className="form" onSubmit={submit} noValidate>
      <div className="pair">
        <Field label="E-mail" error={problem}>
          {(props) => (
            <input
              {...props}
              className="in"
              type="email"
              autoComplete="off"
              maxLength={254}
              value={email}
              onChange={(event) => {
                setEmail(event.target.value);
                setProblem(undefined);
              }}
            />
          )}
        </Field>
        <RoleField roles={roles} value={role} onChange={setRole} organisation={organisation} />
      </div>
      <TeamChoice teams={teams} chosen={inTeams} onChange={setInTeams} />
      {inTeams.length > 0 && role !== 'owner' && (
        <Toggle label="Sees the sites of these teams only" checked={only} onChange={setOnly} />
      )}
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <div className="go">
        <button type="submit" className="btn main-act" {...resting(sending)}>
          {sending ? 'Inviting…' : 'Invite'}
        </button>
      </div>
    </form>
  );
}
