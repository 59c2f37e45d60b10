import { domainToASCII } from 'node:url';
import type { SignUpMode } from '../../../contract/sign_up.ts';
import type { Act } from '../../platform/audit.ts';
import { RequestError } from '../../platform/http/route.ts';
import type { House } from '../../platform/subject.ts';

export interface SignUpSetting {
  mode: SignUpMode;
  /** In their ASCII form, lower case. */
  domains: string[];
}

/** Who may sign up: one row of the whole desk, set by whoever runs it. Without a row nobody may. */
export interface SignUpSettings {
  read(): Promise<SignUpSetting>;
  /** @param by who changed it; @throws RequestError invalid_field */
  write(wanted: SignUpSetting, by: Pick<Act, 'actor' | 'request'>): Promise<void>;
}

export function openSignUpSettings({
  postgres,
  clock,
  audit,
}: Pick<House, 'postgres' | 'clock' | 'audit'>): SignUpSettings {
  return {
    async read() {
      const row = await postgres.system((sql) =>
        sql.maybe<SignUpSetting>('SELECT mode, domains FROM sign_up_settings WHERE id = 1'),
      );
      return row ?? { mode: 'off', domains: [] };
    },
    async write(wanted, by) {
      const domains = [...new Set(wanted.domains.map(readMailDomain))];
      if (wanted.mode === 'domains' && domains.length === 0)
        throw new RequestError('invalid_field', 'Name at least one domain, such as shop.example.', {
          field: 'domains',
        });
      await postgres.system(async (sql) => {
        await sql.run(
          `INSERT INTO sign_up_settings (id, mode, domains, changed_by, changed_at) VALUES (1, $1, $2, $3, $4)
           ON CONFLICT (id) DO UPDATE SET mode = $1, domains = $2, changed_by = $3, changed_at = $4`,
          [wanted.mode, domains, by.actor.type === 'person' ? (by.actor.id ?? null) : null, new Date(clock.now())],
        );
        await audit.record(sql, 'desk', {
          action: 'operator.sign_up_changed',
          ...by,
          details: { mode: wanted.mode, domains: domains.join(' ').slice(0, 500) },
        });
      });
    },
  };
}

/** May this address sign up without an invitation? A subdomain counts where it is written, and only there. */
export function maySignUp({ mode, domains }: SignUpSetting, email: string): boolean {
  if (mode === 'domains') return domains.includes(asciiDomain(email.slice(email.lastIndexOf('@') + 1)));
  return mode === 'open';
}

function readMailDomain(text: string): string {
  const name = asciiDomain(text.trim().replace(/^@/, ''));
  if (name.length <= 253 && /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/.test(name)) return name;
  throw new RequestError('invalid_field', `"${text.slice(0, 80)}" is no domain of mail. Write it as in shop.example.`, {
    field: 'domains',
  });
}

function asciiDomain(text: string): string {
  return domainToASCII(text.trim().toLowerCase());
}
