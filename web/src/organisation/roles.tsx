import { Fragment, useCallback, useEffect, useState } from 'react';
import { ComingRows } from '../controls/coming.tsx';
import { Dialog } from '../controls/dialog.tsx';
import { Field, FormError, Select } from '../controls/field.tsx';
import { FormDialog, NameField } from '../controls/form_dialog.tsx';
import { Icon } from '../controls/icons.tsx';
import type { DeskError } from '../desk/api.ts';
import { asDeskError } from '../desk/api.ts';
import type { Organisation } from '../desk/session.tsx';
import { may } from '../desk/session.tsx';
import { Failed } from '../overview/states.tsx';
import { Toggle } from '../settings/toggle.tsx';
import './organisation.css';
import type { OrganisationRole, RoleTable } from './wire.ts';
import { organisations } from './wire.ts';
import { roleText } from './words.ts';

/** `organisation.read` may be broken after its dot, and nowhere else. */
const broken = (name: string) =>
  name.split('.').map((part, at) => (
    <Fragment key={part}>
      {at > 0 && (
        <>
          .<wbr />
        </>
      )}
      {part}
    </Fragment>
  ));

/** What may each role do? The table is what the desk itself checks by. */
export function OrganisationRoles({ organisation }: { organisation: Organisation }) {
  const { id } = organisation;
  const manages = may(organisation, 'member.manage');
  const [table, setTable] = useState<RoleTable>();
  const [problem, setProblem] = useState<DeskError>();
  const [editing, setEditing] = useState<OrganisationRole | 'new'>();
  const [removing, setRemoving] = useState<OrganisationRole>();
  const load = useCallback(() => {
    setProblem(undefined);
    organisations.roles(id).then(setTable, (error) => setProblem(asDeskError(error)));
  }, [id]);
  useEffect(load, [load]);
  const custom = table?.roles.filter((one) => !one.built_in) ?? [];
  const done = () => {
    setEditing(undefined);
    setRemoving(undefined);
    load();
  };
  if (problem !== undefined)
    return (
      <div className="list">
        <Failed {...problem} reference={problem.reference} onRetry={load} what="The roles could not be read." />
      </div>
    );
  if (table === undefined)
    return (
      <div className="list">
        <ComingRows what="the roles" heads={['May', '']} rows={10} lines={2} />
      </div>
    );
  return (
    <div className="settings roles">
      <section>
        <h2 className="vh">All roles</h2>
        <p>
          A role is a set of permissions. The eleven built-in roles are the same in every organisation; further ones are
          yours.
        </p>
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls is reached by keyboard. */}
        <section className="list matrix" tabIndex={0} aria-label="Roles and permissions">
          <table>
            <thead>
              <tr>
                <th scope="col">May</th>
                {table.roles.map((one) => (
                  <th key={one.role} scope="col">
                    <span>{roleText(one.name)}</span>
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {table.permissions.map((permission) => (
                <tr key={permission.name}>
                  <th scope="row">
                    {permission.meaning} <code className="ref">{broken(permission.name)}</code>
                  </th>
                  {table.roles.map((one) => (
                    <td key={one.role}>
                      {one.permissions.includes(permission.name) ? (
                        <>
                          <Icon name="check" />
                          <span className="vh">yes</span>
                        </>
                      ) : (
                        <span className="vh">no</span>
                      )}
                    </td>
                  ))}
                </tr>
              ))}
              <tr>
                <th scope="row">People and open invitations</th>
                {table.roles.map((one) => (
                  <td key={one.role}>{one.members}</td>
                ))}
              </tr>
            </tbody>
          </table>
        </section>
      </section>
      <section>
        <h2>Roles of {organisation.name}</h2>
        {custom.length === 0 ? (
          <p>None yet. A role of your own is of use where the built-in ones let somebody do too much or too little.</p>
        ) : (
          <ul className="own-roles">
            {custom.map((one) => (
              <li key={one.role}>
                <b>{one.name}</b>
                <span className="q">
                  {one.permissions.length} {one.permissions.length === 1 ? 'permission' : 'permissions'}, {one.members}{' '}
                  {one.members === 1 ? 'person or invitation' : 'people or invitations'}
                </span>
                {manages && (
                  <span>
                    <button type="button" className="btn sm" onClick={() => setEditing(one)}>
                      Change<span className="vh"> {one.name}</span>
                    </button>{' '}
                    <button type="button" className="btn sm quiet" onClick={() => setRemoving(one)}>
                      Remove<span className="vh"> {one.name}</span>
                    </button>
                  </span>
                )}
              </li>
            ))}
          </ul>
        )}
        {manages && (
          <div className="go">
            <button type="button" className="btn main-act" onClick={() => setEditing('new')}>
              New role
            </button>
          </div>
        )}
      </section>
      {editing !== undefined && (
        <RoleForm
          organisation={organisation}
          table={table}
          role={editing === 'new' ? undefined : editing}
          onClose={() => setEditing(undefined)}
          onDone={done}
        />
      )}
      {removing !== undefined && (
        <RemoveRole
          organisation={organisation}
          table={table}
          role={removing}
          onClose={() => setRemoving(undefined)}
          onDone={done}
        />
      )}
    </div>
  );
}

function RoleForm({
  organisation,
  table,
  role,
  onClose,
  onDone,
}: {
  organisation: Organisation;
  table: RoleTable;
  role: OrganisationRole | undefined;
  onClose: () => void;
  onDone: () => void;
}) {
  const [name, setName] = useState(role?.name ?? '');
  const [chosen, setChosen] = useState<readonly string[]>(
    role?.permissions ?? ['stats.read', 'site.read', 'organisation.read'],
  );
  const save = async () => {
    const body = { name: name.trim(), permissions: [...chosen] };
    if (role === undefined) await organisations.makeRole(organisation.id, body);
    else await organisations.changeRole(organisation.id, role.role, body);
    onDone();
  };
  return (
    <FormDialog
      label={role === undefined ? 'New role' : 'Change a role'}
      title={role === undefined ? 'New role' : role.name}
      fields={['name']}
      act="Save the role"
      isResting={name.trim() === '' || chosen.length === 0}
      onSend={save}
      onClose={onClose}
    >
      {(errorOf) => (
        <>
          <NameField value={name} maxLength={60} error={errorOf('name')} onChange={setName} />
          <fieldset>
            <legend>
              <b>May</b>
            </legend>
            <div className="scopes">
              {table.permissions
                .filter(
                  (one) => !['organisation.own', 'organisation.take'].includes(one.name) && may(organisation, one.name),
                )
                .map((one) => (
                  <Toggle
                    key={one.name}
                    label={one.meaning}
                    checked={chosen.includes(one.name)}
                    onChange={(on) =>
                      setChosen(on ? [...chosen, one.name] : chosen.filter((each) => each !== one.name))
                    }
                  />
                ))}
            </div>
          </fieldset>
          {role !== undefined && role.members > 0 && (
            <p className="q">It holds for {role.members} from their next click on.</p>
          )}
        </>
      )}
    </FormDialog>
  );
}

function RemoveRole({
  organisation,
  table,
  role,
  onClose,
  onDone,
}: {
  organisation: Organisation;
  table: RoleTable;
  role: OrganisationRole;
  onClose: () => void;
  onDone: () => void;
}) {
  const [successor, setSuccessor] = useState('viewer');
  const [refusal, setRefusal] = useState<DeskError>();
  const used = role.members > 0;
  const remove = async () => {
    try {
      await organisations.removeRole(organisation.id, role.role, used ? successor : undefined);
      onDone();
    } catch (error) {
      setRefusal(asDeskError(error));
    }
  };
  return (
    <Dialog label="Remove a role" className="small" onClose={onClose}>
      <h2>Remove the role {role.name}?</h2>
      {used ? (
        <Field label={`${role.members} have it, people or invitations. They get instead`}>
          {(props) => (
            <Select {...props} value={successor} onChange={(event) => setSuccessor(event.target.value)}>
              {table.roles
                .filter((one) => one.role !== role.role && one.role !== 'owner')
                .map((one) => (
                  <option key={one.role} value={one.role}>
                    {roleText(one.name)}
                  </option>
                ))}
            </Select>
          )}
        </Field>
      ) : (
        <p>Nobody has it.</p>
      )}
      <FormError message={refusal?.message} reference={refusal?.reference} />
      <div className="editor-foot">
        <button type="button" className="btn danger" onClick={() => void remove()}>
          Remove role
        </button>
        <button type="button" className="btn quiet" onClick={onClose}>
          Keep it
        </button>
      </div>
    </Dialog>
  );
}
