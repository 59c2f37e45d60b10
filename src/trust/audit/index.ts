import type { Audit } from '../../platform/audit.ts';

/** Takes acts and keeps none yet; the chain takes its place. */
export function openAudit(): Audit {
  return {
    async record() {},
    async recordOfPerson() {},
  };
}
