import type { House, RunningSubject } from '../../platform/subject.ts';
import type { RegisterGate } from './gate.ts';
import { registerCheck } from './register_check.ts';
import { registerRoutes } from './routes.ts';

export { openGate } from './gate.ts';
export { knownOf, missingIn } from './judge.ts';
export { receiversOf, rowOf } from './receivers.ts';
export { readStatements } from './statements.ts';

export const registerMigrations = new URL('./migrations/', import.meta.url);

/** Whom this desk calls, on what basis, and that it calls nobody else. */
export function openRegister(house: House, gate: RegisterGate): RunningSubject {
  return { routes: registerRoutes(house, gate), checks: [registerCheck(house)] };
}
