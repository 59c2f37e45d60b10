import type { LiveCheck } from '../platform/checks.ts';
import type { Config } from '../platform/config.ts';
import type { House } from '../platform/subject.ts';

/**
 * Whom the desk may call, by the purpose of the call. `named`: exactly the hosts that the settings name. `open`: hosts that
 * others choose, with who they are: an owner names the address of a site, a provider's own document names its doors.
 * Until there is the register of subprocessors (R13) this list is what the calls are held against.
 */
function allowedOf(config: Config): Record<string, { named: readonly string[] } | { open: string }> {
  const host = (url: string | undefined) => (url !== undefined && URL.canParse(url) ? [new URL(url).hostname] : []);
  const { google, github, oidc } = config.signIn ?? {};
  const providers = google ?? oidc ?? github;
  const signIn = providers === undefined ? { named: [] } : { open: 'sign-in providers of the settings' };
  return {
    acme: { named: host(config.acme?.directoryUrl) },
    'report.error': { named: host(config.sentryDsn) },
    'report.event': { named: host(config.posthog?.host) },
    self_check: { named: host(config.publicUrl) },
    snippet_check: { open: 'home pages of the sites of this desk' },
    'sign_in.discovery': { named: [...host(google?.url), ...host(oidc?.issuer)] },
    'sign_in.keys': signIn,
    'sign_in.token': signIn,
    'sign_in.profile': signIn,
  };
}

/** Holds every host that this process has called since its start against the list (SHR-02, in part). */
export function egressCheck({ config, outbound }: Pick<House, 'config' | 'outbound'>): LiveCheck {
  return {
    id: 'egress',
    what: 'calls to others',
    proves: ['SHR-02'],
    every: 'day',
    audience: 'everyone',
    async run() {
      const allowed = allowedOf(config);
      const called = outbound.hosts();
      const strange = called.filter(({ purpose, host }) => {
        const rule = allowed[purpose];
        return rule === undefined || ('named' in rule && !rule.named.includes(host));
      });
      if (strange.length > 0)
        return {
          state: 'wrong',
          fact: `${strange.length} of ${called.length} hosts were called that no setting names, for ${[...new Set(strange.map(({ purpose }) => purpose))].join(', ')}`,
          todo: 'Compare the settings with what this desk should call; a purpose that nobody knows is a fault to report.',
        };
      const hosts = new Set(called.map(({ host }) => host)).size;
      return {
        state: 'ok',
        fact: `${hosts} ${hosts === 1 ? 'host was' : 'hosts were'} called since the start, each as the settings say`,
      };
    },
  };
}
