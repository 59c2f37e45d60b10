export { selfAuditExecutor } from './ageing.ts';
export { type Canary, canaryOf, openerOf, scanFolders } from './canaries.ts';
export { catalogueChecks } from './catalogue_check.ts';
export { keyAgeCheck } from './key_age.ts';
export { type Capability, ledger, type Requirement, type Standing, subjectOf, subjects } from './ledger.ts';
export { type Named, readNamed } from './named.ts';
export { addProved, digestOfTree, keyOf, type Proved, productRoot, readProved } from './proved.ts';
export { newestRunCheck, openRuns, type Runs } from './runs.ts';
export { countsOf, requirementsOf, standingOf } from './state.ts';
