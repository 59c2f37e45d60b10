import { useWhileVisible } from '../desk/live.ts';
import { relayOf } from './api.ts';

const everyMs = 3_000;

/** While nothing has come to a source yet and somebody looks, asks whether something has. */
export function useFirstRequest(organisation: number, source: number, isWaiting: boolean, onCame: () => void): void {
  useWhileVisible(
    async (signal) => {
      if (!isWaiting) return;
      // What cannot be asked now is asked again: the page itself says what it could not read.
      const found = await relayOf(organisation)
        .source(source)
        .catch(() => undefined);
      if (!signal.aborted && found != null && found.last_request_at !== null) onCame();
    },
    everyMs,
    [organisation, source, isWaiting],
  );
}
