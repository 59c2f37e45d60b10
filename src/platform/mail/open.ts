import type { Config } from '../config.ts';
import type { Mail } from './message.ts';

/** Takes messages and sends none yet; the outbox takes its place. */
export function openMail({ config }: { config: Pick<Config, 'publicUrl'> }): Mail {
  return {
    async send() {},
    isOn: async () => false,
    link: (path) => new URL(path, config.publicUrl).href,
  };
}
