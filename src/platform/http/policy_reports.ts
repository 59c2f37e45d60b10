import { z } from 'zod';
import type { Clock } from '../clock.ts';
import type { Gauge } from '../subject.ts';
import { policyReportPath } from './headers.ts';
import { defineRoute, RequestError, type Route } from './route.ts';

/**
 * Takes what browsers say about forbidden attempts on our pages. Of a report two words of closed lists are kept, in memory:
 * which rule, and what kind of thing it stopped. Addresses of pages and samples of code are never looked at again.
 */

/** A report is about 1 KB; one browser sends one per attempt. */
const reportBytesMax = 8 * 1024;
const reportsPerMinute = 60;

const directives = [
  'base-uri',
  'connect-src',
  'default-src',
  'font-src',
  'form-action',
  'frame-ancestors',
  'frame-src',
  'img-src',
  'manifest-src',
  'media-src',
  'object-src',
  'require-trusted-types-for',
  'script-src',
  'script-src-attr',
  'script-src-elem',
  'style-src',
  'style-src-attr',
  'style-src-elem',
  'trusted-types',
  'worker-src',
] as const;

/** Both shapes that browsers send: `report-uri` (CSP 2) and the Reporting API's list. */
const oldReport = z.object({
  'csp-report': z.object({
    'effective-directive': z.string().optional(),
    'violated-directive': z.string().optional(),
    'blocked-uri': z.string().optional(),
  }),
});
const newReports = z
  .array(z.object({ body: z.object({ effectiveDirective: z.string(), blockedURL: z.string().optional() }) }))
  .max(20);

export function openPolicyReports({ clock, publicUrl }: { clock: Clock; publicUrl: string }): {
  routes: Route[];
  gauges: Gauge[];
} {
  const counts = new Map<string, number>();
  let minute = { from: clock.monotonic(), taken: 0 };
  const origin = new URL(publicUrl).origin;

  function count(directive: string, blocked: string) {
    const rule = directives.find((one) => one === directive) ?? 'other';
    const key = `${rule}\t${kindOf(blocked, origin)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }

  return {
    routes: [
      defineRoute<Record<string, string>, Record<string, string>, Buffer>({
        method: 'POST',
        path: policyReportPath,
        access: 'public',
        summary: 'Takes what a browser reports about the page policy. Only the rule and the kind of thing are counted.',
        rawBodyBytesMax: reportBytesMax,
        async handle({ body }) {
          if (clock.monotonic() - minute.from >= 60_000) minute = { from: clock.monotonic(), taken: 0 };
          if (++minute.taken > reportsPerMinute)
            throw new RequestError(
              'rate_limited',
              `This desk takes ${reportsPerMinute} reports a minute. The next minute takes more.`,
              { headers: { 'retry-after': '60' } },
            );
          for (const { directive, blocked } of readReports(body)) count(directive, blocked);
          return { status: 204 };
        },
      }),
    ],
    gauges: [
      {
        name: 'fairlead_csp_reports_total',
        help: 'Attempts that browsers stopped on our pages, by rule of the policy and kind of thing.',
        kind: 'counter',
        read: () =>
          [...counts].map(([key, value]) => {
            const [directive = '', blocked = ''] = key.split('\t');
            return { labels: { directive, blocked }, value };
          }),
      },
    ],
  };
}

function readReports(body: Buffer): { directive: string; blocked: string }[] {
  let value: unknown;
  try {
    value = JSON.parse(body.toString('utf8'));
  } catch {
    throw new RequestError('invalid_json', 'The body is not JSON. Browsers send reports here by themselves.');
  }
  const old = oldReport.safeParse(value);
  if (old.success) {
    const report = old.data['csp-report'];
    const directive = report['effective-directive'] ?? report['violated-directive'] ?? '';
    return [{ directive, blocked: report['blocked-uri'] ?? '' }];
  }
  const listed = newReports.safeParse(value);
  if (listed.success)
    return listed.data.map(({ body: one }) => ({
      directive: one.effectiveDirective,
      blocked: one.blockedURL ?? '',
    }));
  throw new RequestError('invalid_field', 'The body is no report about a page policy.');
}

/** The blocked address reduced to a word. */
function kindOf(blocked: string, origin: string): string {
  if (['inline', 'eval', 'wasm-eval', 'trusted-types-policy', 'trusted-types-sink'].includes(blocked)) return blocked;
  if (blocked === '') return 'unnamed';
  if (blocked === 'self' || blocked === origin || blocked.startsWith(`${origin}/`)) return 'own';
  const scheme = /^(data|blob|https?|wss?|[a-z-]*extension)(:|$)/.exec(blocked)?.[1];
  if (scheme === undefined) return 'other';
  return scheme.endsWith('extension') ? 'extension' : scheme === 'data' || scheme === 'blob' ? scheme : 'elsewhere';
}
