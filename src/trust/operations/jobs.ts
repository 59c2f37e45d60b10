import type { Log, LogFields } from '../../platform/log.ts';
import type { Operation, Operations } from '../../platform/operations.ts';

/**
 * Runs of jobs as the parts of the desk say them in the log: event, job, outcome, and what the number in its fields counts.
 * One place, so that no part says it twice. A test looks whether each event is still said somewhere.
 */
export const runs: Readonly<Record<string, { job: string; outcome: Operation['outcome']; object?: string }>> = {
  'retention.night': { job: 'retention', outcome: 'done' },
  'retention.line_failed': { job: 'retention', outcome: 'failed' },
  'retention.night_failed': { job: 'retention', outcome: 'failed' },
  'backup.made': { job: 'backup', outcome: 'done' },
  'backup.failed': { job: 'backup', outcome: 'failed' },
  'export.done': { job: 'export', outcome: 'done', object: 'export' },
  'export.failed': { job: 'export', outcome: 'failed', object: 'export' },
  'archive.done': { job: 'archive', outcome: 'done', object: 'archive' },
  'archive.failed': { job: 'archive', outcome: 'failed', object: 'archive' },
  'import.step': { job: 'import', outcome: 'done', object: 'import' },
  'import.failed': { job: 'import', outcome: 'failed', object: 'import' },
  'report.failed': { job: 'report', outcome: 'failed', object: 'site' },
  'site_removal.done': { job: 'site_removal', outcome: 'done', object: 'removal' },
  'site_removal.failed': { job: 'site_removal', outcome: 'failed', object: 'removal' },
  'people.closed': { job: 'closing', outcome: 'done' },
  'report.sent': { job: 'report', outcome: 'done', object: 'site' },
  'mail.later': { job: 'mail', outcome: 'failed', object: 'host' },
  'mail.refused': { job: 'mail', outcome: 'refused', object: 'host' },
  'mail.failed': { job: 'mail', outcome: 'failed', object: 'host' },
  'proof.failed': { job: 'proof', outcome: 'failed' },
};

/** The log as it was, with each run of a job written into the operations log beside it. */
export function tellingLog(log: Log, operations: Operations): Log {
  const tell = (event: string, fields: LogFields = {}, cause?: unknown) => {
    const run = runs[event];
    if (run === undefined) return;
    const id = run.object === undefined ? undefined : fields[run.object];
    const { organisation, ms } = fields;
    operations.note({
      kind: 'job',
      action: run.job,
      organisationId: typeof organisation === 'number' ? organisation : undefined,
      object: id === undefined || run.object === undefined ? undefined : { kind: run.object, id: String(id) },
      outcome: run.outcome,
      code: run.outcome === 'done' ? undefined : wordOf(fields.why ?? fields.reason ?? (cause as Error)?.name),
      ms: typeof ms === 'number' ? ms : undefined,
    });
  };
  return {
    info(event, fields) {
      log.info(event, fields);
      tell(event, fields);
    },
    warn(event, fields) {
      log.warn(event, fields);
      tell(event, fields);
    },
    error(event, fields, cause) {
      log.error(event, fields, cause);
      tell(event, fields, cause);
    },
  };
}

/** `WarehouseUnavailable` becomes `warehouse_unavailable`: a kind of error, never its text. */
function wordOf(said: unknown): string | undefined {
  const word = String(said ?? '')
    .replace(/([a-z0-9])([A-Z])/g, '$1_$2')
    .toLowerCase();
  return /^[a-z0-9_]{1,60}$/.test(word) ? word : undefined;
}
