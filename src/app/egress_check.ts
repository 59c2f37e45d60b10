import type { LiveCheck } from '../platform/checks.ts';
import type { House } from '../platform/subject.ts';
import { receiversOf, rowOf } from '../trust/register/index.ts';

/** Holds every host that this process has called since its start against the register (SHR-02), and says what was refused. */
export function egressCheck({ config, outbound }: Pick<House, 'config' | 'outbound'>): LiveCheck {
  return {
    id: 'egress',
    what: 'calls to others',
    proves: ['SHR-02'],
    every: 'day',
    audience: 'everyone',
    async run() {
      // Mail has a way of its own, which asks the register itself.
      const rows = receiversOf(config, undefined);
      const all = outbound.hosts();
      const called = all.filter(({ calls }) => calls > 0);
      const strange = called.filter((one) => rowOf(rows, one) === undefined);
      const purposes = (of: typeof all) => [...new Set(of.map(({ purpose }) => purpose))].join(', ');
      if (strange.length > 0)
        return {
          state: 'wrong',
          fact: `${strange.length} of ${called.length} hosts were called that the register has no row for, for ${purposes(strange)}`,
          todo: 'Compare the settings with what this desk should call; a purpose that nobody knows is a fault to report.',
        };
      const refused = all.filter(({ refusals }) => Object.keys(refusals).length > 0);
      if (refused.length > 0)
        return {
          state: 'look',
          fact: `calls to ${refused.length} ${refused.length === 1 ? 'host were' : 'hosts were'} refused, for ${purposes(refused)}`,
          todo: 'Open Trust, Subprocessors: it says which and why.',
        };
      const hosts = new Set(called.map(({ host }) => host)).size;
      return {
        state: 'ok',
        fact: `${hosts} ${hosts === 1 ? 'host was' : 'hosts were'} called since the start, each of the register`,
      };
    },
  };
}
